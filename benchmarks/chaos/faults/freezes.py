"""Parts that freeze: SIGSTOP, every connection standing, until SIGCONT."""

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.stage import Stage


def _freeze(stage: Stage, part: str) -> Heal:
    stage.parts.freeze(part)
    return lambda: stage.parts.thaw(part)


def _branch_node(stage: Stage) -> Heal:
    return _freeze(stage, stage.branch_node())


def _fusion_node(stage: Stage) -> Heal:
    return _freeze(stage, stage.fusion_node)


FREEZES = (
    Fault("frozen-branch-node", "SIGSTOP of a branch's node for 7 s", _branch_node, holds_s=7.0),
    Fault("frozen-fusion-node", "SIGSTOP of the fusion's node for 7 s", _fusion_node, holds_s=7.0),
)
