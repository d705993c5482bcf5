"""Parts that die: SIGKILL, as a power cut would, and some come back."""

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.parts import COORDINATOR
from benchmarks.chaos.stage import Stage


def _branch_node(stage: Stage) -> None:
    stage.parts.kill(stage.branch_node())


def _fusion_node(stage: Stage) -> None:
    stage.parts.kill(stage.fusion_node)


def _coordinator(stage: Stage) -> None:
    stage.parts.kill(COORDINATOR)


DEATHS = (
    Fault("killed-branch-node", "SIGKILL of a node that runs a branch", _branch_node),
    Fault("killed-fusion-node", "SIGKILL of the node where the branches merge", _fusion_node),
    Fault("killed-coordinator", "SIGKILL of the coordinator, which stays away", _coordinator),
)
