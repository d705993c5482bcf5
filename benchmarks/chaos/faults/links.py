"""Links that fail: cut, held in one direction or both."""

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.relay import Way
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_RELAYED = Setting(relayed=True)


def _cut(stage: Stage, node: str) -> Heal:
    stage.links[node].cut()
    return _gone_until_healed(stage, node)


def _hold(stage: Stage, node: str, *ways: Way) -> Heal:
    stage.links[node].hold(*ways)
    return _gone_until_healed(stage, node)


def _gone_until_healed(stage: Stage, node: str) -> Heal:
    stage.parts.gone.add(node)

    def heal() -> None:
        stage.links[node].heal()
        stage.parts.gone.discard(node)

    return heal


LINKS = (
    Fault(
        "cut-branch-node",
        "TCP of a branch's node reset, and refused for 6 s",
        lambda stage: _cut(stage, stage.branch_node()),
        _RELAYED,
        holds_s=6.0,
    ),
    Fault(
        "black-hole-branch-node",
        "nothing passes to or from a branch's node for 8 s, connections stand",
        lambda stage: _hold(stage, stage.branch_node(), "up", "down"),
        _RELAYED,
        holds_s=8.0,
    ),
)
