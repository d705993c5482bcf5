"""State folders that are full, deleted, damaged or lost, at a node and at the coordinator.

With the coordinator's copies gone a death can be mended only where another node still holds what the
dead one ran; so before some of these faults nodes die and come back until there is such a node.
"""

import shutil
from pathlib import Path
from typing import Final

from benchmarks.chaos.disk import fill, make_room, why_no_disk
from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.parts import COORDINATOR, StageError, wait_until
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_ARTIFACTS: Final = "artifacts"
_DISK_BYTES: Final = 8_000_000
_NODES: Final = Setting().node_names
_NODE_DISKS: Final = Setting(disks=dict.fromkeys(_NODES, _DISK_BYTES), seconds=13.0)
_COORDINATOR_DISK: Final = Setting(disks={COORDINATOR: _DISK_BYTES}, seconds=13.0)
_LONG: Final = Setting(seconds=18.0)


def _corrupt(folder: Path) -> None:
    """Change a byte in the middle of every artifact."""
    files = [path for path in (folder / _ARTIFACTS).iterdir() if path.is_file()]
    if not files:
        raise StageError(f"{folder.name} holds no artifacts")
    for path in files:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)


def _spread(stage: Stage) -> None:
    """Have nodes die and come back until one runs nothing that it alone holds."""
    for node in stage.setting.node_names:
        if _replaceable(stage):
            return
        if node not in stage.witness.placement.values():
            continue
        epoch = max(stage.witness.placements)
        stage.parts.kill(node)
        wait_until(lambda: max(stage.witness.placements) > epoch, "the repair")  # noqa: B023
        stage.start(node)
        stage.parts.wait_ready(node)
    if not _replaceable(stage):
        raise StageError("no node runs only what others hold too")


def _replaceable(stage: Stage) -> list[str]:
    """Return the nodes all of whose partitions lie in the folder of another node too."""
    hashes = stage.artifacts()
    held = {
        node: {path.name for path in (stage.state_dir(node) / _ARTIFACTS).glob("*")}
        for node in stage.setting.node_names
    }
    found = []
    for node in sorted(set(stage.witness.placement.values())):
        needed = {hashes[part] for part, at in stage.witness.placement.items() if at == node}
        others = set().union(*(held[other] for other in held if other != node))
        if needed <= others:
            found.append(node)
    return found


def _kill_replaceable(stage: Stage) -> None:
    victim = stage.draw.choice(_replaceable(stage))
    stage.mark()
    stage.parts.kill(victim)


def _corrupt_node(stage: Stage) -> None:
    node = stage.branch_node()
    stage.parts.kill(node)
    _corrupt(stage.state_dir(node))
    stage.start(node)
    stage.parts.wait_ready(node)
    stage.redeploy()


def _corrupt_coordinator(stage: Stage) -> None:
    _corrupt(stage.state_dir(COORDINATOR))
    _kill_replaceable(stage)


def _full_node(stage: Stage) -> Heal:
    folder = stage.state_dir(stage.branch_node())
    fill(folder)
    stage.mark()
    stage.tell(*stage.deployment_of("other"))
    return lambda: make_room(folder)


def _full_coordinator(stage: Stage) -> Heal:
    folder = stage.state_dir(COORDINATOR)
    fill(folder)
    stage.mark()
    stage.parts.kill(stage.branch_node())
    return lambda: make_room(folder)


def _deleted_node(stage: Stage) -> None:
    shutil.rmtree(stage.state_dir(stage.branch_node()))
    stage.mark()
    stage.tell(*stage.deployment_of("other"))


def _deleted_coordinator(stage: Stage) -> None:
    shutil.rmtree(stage.state_dir(COORDINATOR))
    _kill_replaceable(stage)


def _lost_coordinator(stage: Stage) -> None:
    stage.parts.kill(COORDINATOR)
    shutil.rmtree(stage.state_dir(COORDINATOR))
    stage.start(COORDINATOR)
    stage.parts.wait_ready(COORDINATOR)
    stage.wait(4.0)
    stage.mark()
    stage.parts.kill(stage.branch_node())


def _needs_disk(_engine: str) -> str | None:
    return why_no_disk()


FOLDERS = (
    Fault(
        "corrupt-node-store",
        "a branch's node is killed, its artifacts damaged, started again; then a redeploy",
        _corrupt_node,
        _LONG,
    ),
    Fault(
        "corrupt-coordinator-store",
        "the coordinator's artifacts are damaged; then SIGKILL of a node whose artifacts others hold",
        _corrupt_coordinator,
        _LONG,
        prepare=_spread,
    ),
    Fault(
        "full-disk-node",
        "the disk of a branch's node is full for 7 s; then another network is deployed",
        _full_node,
        _NODE_DISKS,
        networks=("other",),
        holds_s=7.0,
        why_not=_needs_disk,
    ),
    Fault(
        "full-disk-coordinator",
        "the coordinator's disk is full for 7 s; then SIGKILL of a branch's node",
        _full_coordinator,
        _COORDINATOR_DISK,
        holds_s=7.0,
        why_not=_needs_disk,
    ),
    Fault(
        "deleted-node-folder",
        "the folder of a branch's node is deleted; then another network is deployed",
        _deleted_node,
        _LONG,
        networks=("other",),
    ),
    Fault(
        "deleted-coordinator-folder",
        "the coordinator's folder is deleted; then SIGKILL of a node whose artifacts others hold",
        _deleted_coordinator,
        _LONG,
        prepare=_spread,
    ),
    Fault(
        "lost-coordinator-folder",
        "SIGKILL of the coordinator, started with an empty folder; 4 s later SIGKILL of a branch's node",
        _lost_coordinator,
        _LONG,
    ),
)
