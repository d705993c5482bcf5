"""Parts that freeze: SIGSTOP, every connection standing, until SIGCONT."""

from typing import Final

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.parts import COORDINATOR
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_LONG: Final = Setting(seconds=13.0)


def _freeze(stage: Stage, part: str) -> Heal:
    stage.parts.freeze(part)
    return lambda: stage.parts.thaw(part)


def _branch_node(stage: Stage) -> Heal:
    return _freeze(stage, stage.branch_node())


def _fusion_node(stage: Stage) -> Heal:
    return _freeze(stage, stage.fusion_node)


def _coordinator(stage: Stage) -> Heal:
    return _freeze(stage, COORDINATOR)


def _broker(stage: Stage) -> Heal:
    stage.broker.freeze()

    def thaw() -> None:
        stage.broker.thaw()
        stage.mark()

    return thaw


FREEZES = (
    Fault(
        "frozen-branch-node", "SIGSTOP of a branch's node for 7 s", _branch_node, _LONG, holds_s=7.0
    ),
    Fault(
        "frozen-fusion-node",
        "SIGSTOP of the fusion's node for 7 s",
        _fusion_node,
        _LONG,
        holds_s=7.0,
    ),
    Fault(
        "frozen-coordinator", "SIGSTOP of the coordinator for 7 s", _coordinator, _LONG, holds_s=7.0
    ),
    Fault(
        "frozen-broker",
        "SIGSTOP of the broker for 7 s or a little more; recovery is counted from its waking",
        _broker,
        _LONG,
        holds_s=7.0,
        look_s=1.0,
    ),
)
