"""Messages that come twice, out of order or damaged, on the links of all nodes for 7 s.

Only messages of QoS 0 are touched (frames, tensors, beats): TCP and QoS 1 keep the others in order.
"""

import random
from collections.abc import Callable
from typing import Final

from benchmarks.chaos.fault import Fault, Heal
from benchmarks.chaos.packets import Packet
from benchmarks.chaos.relay import Garble
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

_RELAYED: Final = Setting(relayed=True, seconds=13.0)
_HOLDS_S: Final = 7.0
_KEPT_BACK: Final = 3
_DAMAGED: Final = 0.2


def twice(packet: Packet) -> list[bytes]:
    """Let every message pass two times."""
    return [packet.data, packet.data] if packet.payload_at is not None else [packet.data]


def shuffled(draw: random.Random) -> Garble:
    """Return what keeps messages back and lets them follow later ones."""
    kept: list[bytes] = []

    def garble(packet: Packet) -> list[bytes]:
        if packet.payload_at is None:
            return [packet.data]
        kept.append(packet.data)
        if len(kept) < _KEPT_BACK:
            return []
        draw.shuffle(kept)
        released = kept[1:]
        del kept[1:]
        return released

    return garble


def damaged(draw: random.Random) -> Garble:
    """Return what changes some bytes of every fifth payload."""

    def garble(packet: Packet) -> list[bytes]:
        begin = packet.payload_at
        if begin is None or begin >= len(packet.data) or draw.random() >= _DAMAGED:
            return [packet.data]
        data = bytearray(packet.data)
        for _ in range(8):
            data[draw.randrange(begin, len(data))] ^= draw.randrange(1, 256)
        return [bytes(data)]

    return garble


def _everywhere(
    make: Callable[[random.Random], Garble], *, mark_end: bool = False
) -> Callable[[Stage], Heal]:
    def strike(stage: Stage) -> Heal:
        draw = random.Random(stage.draw.random())
        for link in stage.links.values():
            link.garble(lambda: make(draw))

        def heal() -> None:
            for link in stage.links.values():
                link.heal()
            if mark_end:
                stage.mark()

        return heal

    return strike


def _encrypted(engine: str) -> str | None:
    return "what is encrypted cannot be changed unnoticed" if engine == "closed" else None


MESSAGES = (
    Fault(
        "duplicated-messages",
        "every frame, tensor and beat comes twice, at all nodes for 7 s",
        _everywhere(lambda _draw: twice),
        _RELAYED,
        holds_s=_HOLDS_S,
        why_not=_encrypted,
    ),
    Fault(
        "reordered-messages",
        "frames, tensors and beats overtake each other, at all nodes for 7 s; "
        "recovery is counted from its end",
        _everywhere(shuffled, mark_end=True),
        _RELAYED,
        holds_s=_HOLDS_S,
        why_not=_encrypted,
    ),
    Fault(
        "corrupt-tensors",
        "eight bytes of every fifth frame, tensor or beat are changed, at all nodes for 7 s; "
        "recovery is counted from its end",
        _everywhere(damaged, mark_end=True),
        _RELAYED,
        holds_s=_HOLDS_S,
        why_not=_encrypted,
    ),
)
