"""Weak nodes and too much load: a tenth of a processor, little memory, ten times the frames."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.faults.overload import age_and_goodput, goodput_per_s
from benchmarks.chaos.parts import StageError, wait_until
from benchmarks.chaos.records import Answer
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_TENTH: Final = 0.1
_BUSY: Final = Setting(network="middle", seconds=24.0)
_LITTLE: Final = Setting(network="staged", memory_mb=92, seconds=20.0)
_WEAK: Final = Setting(network="heavy", share=0.15, cameras=(), seconds=8.0)
_ONE_WEAK: Final = Setting(nodes=1, share=0.07, fps=3.0, seconds=26.0)
_LADDER_PER_S: Final = tuple(6.0 * 1.5**rung for rung in range(6))
"""Frames offered a second to find what can be served: from 6 to 46."""
_RUNG_S: Final = 4.0
_MORE_S: Final = 15.0


def _slow(victim: Callable[[Stage], str]) -> Callable[[Stage], Heal]:
    def strike(stage: Stage) -> Heal:
        node = victim(stage)
        stage.processors.limit(stage.parts.pid(node), _TENTH)
        stage.unsure.add(node)
        return stage.processors.free

    return strike


def _kill(stage: Stage) -> None:
    stage.parts.kill(stage.branch_node())


def _redeploy(stage: Stage) -> None:
    stage.redeploy()


def _update(stage: Stage) -> None:
    stage.tell(*stage.deployment_of("staged-again"))


def _crowd(stage: Stage) -> None:
    """Ten times the load of two cameras for 3 s, reliable: it takes longer, and all is answered."""
    for camera in ("crowd-1", "crowd-2"):
        stage.stream(camera, fps=9 * stage.setting.fps, seconds=3.0)


def _live_crowd(stage: Stage) -> Heal:
    """Find the most that is served at any load, live, then offer ten times that."""
    capacity = 0.0
    for rung, offered in enumerate(_LADDER_PER_S):
        cameras = _offer(stage, offered, _RUNG_S, f"rung-{rung}")
        capacity = max(capacity, goodput_per_s(_answers(stage, cameras, _RUNG_S)))
    if not capacity:
        raise StageError("nothing was served at any load")
    stage.marks.clear()  # what came before is measuring, and no fault
    stage.mark()
    cameras = _offer(stage, 10 * capacity, stage.setting.seconds, "crowd")

    def see_out() -> None:
        answers = _answers(stage, cameras, stage.setting.seconds)
        stage.notes["saturation_per_s"] = capacity
        stage.notes.update(age_and_goodput(answers, capacity))

    return see_out


def _offer(stage: Stage, per_s: float, seconds: float, name: str) -> tuple[str, str]:
    """Have two live cameras offer so many frames a second; return their names."""
    cameras = (f"{name}-a", f"{name}-b")
    for camera in cameras:
        stage.stream(camera, fps=per_s / len(cameras), seconds=seconds, delivery="live")
    return cameras


def _answers(stage: Stage, cameras: tuple[str, str], seconds: float) -> list[Answer]:
    """Return what cameras were answered, once their streams have ended."""
    stage.cameras.wait(seconds + _MORE_S)
    return [answer for camera in cameras for answer in stage.cameras.answers(camera)]


def _livelock(stage: Stage) -> None:
    """Freeze the one node; recovery is counted from its waking."""
    (node,) = stage.setting.node_names
    stage.parts.freeze(node)
    stage.wait(7.0)
    before = len(stage.cameras.answers())
    stage.parts.thaw(node)
    stage.mark()
    with suppress(StageError):  # that none comes is what the row will say
        wait_until(lambda: len(stage.cameras.answers()) > before, "an answer", 30.0)
        stage.notes["first_answer_s"] = time.time() - stage.marks[-1]


WEAKNESS = (
    Fault(
        "slow-branch-node",
        "a branch's node has a tenth of a core for 15 s",
        _slow(lambda stage: stage.branch_node()),
        _BUSY,
        holds_s=15.0,
        look_s=12.0,
    ),
    Fault(
        "slow-fusion-node",
        "the fusion's node has a tenth of a core for 15 s",
        _slow(lambda stage: stage.fusion_node),
        _BUSY,
        holds_s=15.0,
        look_s=12.0,
    ),
    Fault(
        "little-memory-death",
        "memory for one epoch and a half; SIGKILL of a branch's node",
        _kill,
        _LITTLE,
    ),
    Fault(
        "little-memory-redeploy",
        "memory for one epoch and a half; redeploy",
        _redeploy,
        _LITTLE,
    ),
    Fault(
        "little-memory-update",
        "memory for one epoch and a half; another network is deployed",
        _update,
        _LITTLE,
        networks=("staged-again",),
    ),
    Fault(
        "overload-reliable",
        "two more cameras bring ten times the load for 3 s, reliable",
        _crowd,
    ),
    Fault(
        "overload-live",
        "ten times what weak nodes can serve, live; drops are meant to be, lost answers are not",
        _live_crowd,
        _WEAK,
    ),
    Fault(
        "livelock",
        "one node at 7 % of a core, frozen for 7 s; recovery is counted from its waking",
        _livelock,
        _ONE_WEAK,
    ),
)
