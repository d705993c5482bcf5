"""Parts that die: SIGKILL, as a power cut would, and some come back."""

from typing import Final

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.parts import COORDINATOR
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_AWAY_S: Final = 2.0
_LONG: Final = Setting(seconds=13.0)


def _branch_node(stage: Stage) -> None:
    stage.parts.kill(stage.branch_node())


def _fusion_node(stage: Stage) -> None:
    stage.parts.kill(stage.fusion_node)


def _two_nodes(stage: Stage) -> None:
    stage.parts.kill(*stage.draw.sample(stage.setting.node_names, 2))


def _all_nodes(stage: Stage) -> None:
    nodes = stage.setting.node_names
    stage.parts.kill(*nodes)
    stage.wait(_AWAY_S)
    stage.mark()
    for node in nodes:
        stage.start(node)


def _coordinator(stage: Stage) -> Heal:
    stage.parts.kill(COORDINATOR)
    return lambda: stage.start(COORDINATOR)


def _coordinator_and_node(stage: Stage) -> None:
    stage.parts.kill(COORDINATOR, stage.branch_node())
    stage.wait(_AWAY_S)
    stage.mark()
    stage.start(COORDINATOR)


def _camera(stage: Stage) -> None:
    camera = stage.draw.choice(stage.setting.cameras)
    stage.parts.kill(camera)
    stage.wait(_AWAY_S)
    stage.mark()
    stage.stream(camera)


def _broker(stage: Stage) -> None:
    stage.broker.kill()
    stage.wait(_AWAY_S)
    stage.mark()
    stage.broker.start()


def _no_persistence(engine: str) -> str | None:
    return {
        "embedded": "the embedded broker keeps nothing on the disk",
        "closed": "a closed fog's broker keeps nothing on the disk but its users",
    }.get(engine)


DEATHS = (
    Fault("killed-branch-node", "SIGKILL of a node that runs a branch", _branch_node),
    Fault("killed-fusion-node", "SIGKILL of the node where the branches merge", _fusion_node),
    Fault("killed-two-nodes", "SIGKILL of two nodes at once", _two_nodes),
    Fault(
        "killed-all-nodes",
        "SIGKILL of all nodes, started again after 2 s; recovery is counted from there",
        _all_nodes,
        _LONG,
    ),
    Fault(
        "killed-coordinator",
        "SIGKILL of the coordinator, started again after 7 s",
        _coordinator,
        _LONG,
        holds_s=7.0,
    ),
    Fault(
        "killed-coordinator-and-node",
        "SIGKILL of coordinator and branch's node, the coordinator started again after 2 s, "
        "from when recovery is counted",
        _coordinator_and_node,
        _LONG,
    ),
    Fault(
        "killed-camera",
        "SIGKILL of a camera, started again after 2 s, from when recovery is counted; "
        "what the killed one sent is not",
        _camera,
    ),
    Fault(
        "killed-broker",
        "SIGKILL of the broker, started again empty after 2 s; recovery is counted from there",
        _broker,
        _LONG,
    ),
    Fault(
        "killed-broker-persistent",
        "the same with Mosquitto's persistence",
        _broker,
        Setting(persistent=True, seconds=13.0),
        why_not=_no_persistence,
    ),
)
