"""Links that fail: cut, held in one direction or both, slow."""

from collections.abc import Callable
from typing import Final

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.relay import Way
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_RELAYED: Final = Setting(relayed=True, seconds=14.0)
_RELAYED_LONG: Final = Setting(relayed=True, seconds=24.0)
_SLOW_BYTES_PER_S: Final = 20_000
_SLOW_S: Final = 15.0
_SLOW_LOOK_S: Final = 12.0

Victim = Callable[[Stage], str]


def _branch(stage: Stage) -> str:
    return stage.branch_node()


def _fusion(stage: Stage) -> str:
    return stage.fusion_node


def _cut(victim: Victim) -> Callable[[Stage], Heal]:
    def strike(stage: Stage) -> Heal:
        node = victim(stage)
        stage.links[node].cut()
        return _gone_until_healed(stage, node)

    return strike


def _hold(victim: Victim, *ways: Way) -> Callable[[Stage], Heal]:
    def strike(stage: Stage) -> Heal:
        node = victim(stage)
        stage.links[node].hold(*ways)
        return _gone_until_healed(stage, node)

    return strike


def _slow(victim: Victim) -> Callable[[Stage], Heal]:
    def strike(stage: Stage) -> Heal:
        node = victim(stage)
        stage.links[node].slow(_SLOW_BYTES_PER_S)
        stage.unsure.add(node)
        return stage.links[node].heal

    return strike


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
        _cut(_branch),
        _RELAYED,
        holds_s=6.0,
    ),
    Fault(
        "cut-fusion-node",
        "TCP of the fusion's node reset, and refused for 6 s",
        _cut(_fusion),
        _RELAYED,
        holds_s=6.0,
    ),
    Fault(
        "black-hole-branch-node",
        "nothing passes to or from a branch's node for 8 s, connections stand",
        _hold(_branch, "up", "down"),
        _RELAYED,
        holds_s=8.0,
    ),
    Fault(
        "black-hole-fusion-node",
        "nothing passes to or from the fusion's node for 8 s, connections stand",
        _hold(_fusion, "up", "down"),
        _RELAYED,
        holds_s=8.0,
    ),
    Fault(
        "half-open-up",
        "a branch's node hears, but is not heard for 8 s, connections stand",
        _hold(_branch, "up"),
        _RELAYED,
        holds_s=8.0,
    ),
    Fault(
        "half-open-down",
        "a branch's node is heard, but hears nothing for 8 s, connections stand",
        _hold(_branch, "down"),
        _RELAYED,
        holds_s=8.0,
    ),
    Fault(
        "slow-link-branch-node",
        "20 KB/s each way to and from a branch's node for 15 s",
        _slow(_branch),
        _RELAYED_LONG,
        holds_s=_SLOW_S,
        look_s=_SLOW_LOOK_S,
    ),
    Fault(
        "slow-link-fusion-node",
        "20 KB/s each way to and from the fusion's node for 15 s",
        _slow(_fusion),
        _RELAYED_LONG,
        holds_s=_SLOW_S,
        look_s=_SLOW_LOOK_S,
    ),
)
