"""MQTT packets in a stream of bytes, as far as a relay must know them; pure."""

from dataclasses import dataclass
from typing import Final

_PUBLISH: Final = 0x30
_MAX_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet as it was on the wire."""

    data: bytes
    payload_at: int | None
    """Where the payload begins, in a PUBLISH of QoS 0; None in every other packet."""


class PacketReader:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that are whole now."""
        self._rest += data
        packets = []
        while (sizes := _sizes(self._rest)) is not None and len(self._rest) >= sum(sizes):
            head, body = sizes
            packets.append(_packet(self._rest[: head + body], head))
            self._rest = self._rest[head + body :]
        return packets


def _sizes(data: bytes) -> tuple[int, int] | None:
    """Return the bytes of the fixed header and of what follows, None if too few are here."""
    length = 0
    for index, byte in enumerate(data[1 : 1 + _MAX_LENGTH_BYTES]):
        length |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return 2 + index, length
    return None


def _packet(data: bytes, head: int) -> Packet:
    if data[0] & 0xF6 != _PUBLISH:  # the type and both bits of the QoS
        return Packet(data, None)
    topic_bytes = int.from_bytes(data[head : head + 2], "big")
    return Packet(data, min(len(data), head + 2 + topic_bytes))
