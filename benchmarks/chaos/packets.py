"""MQTT packets in a stream of bytes, as far as a relay must know them; pure."""

from dataclasses import dataclass
from typing import Final

_PUBLISH: Final = 0x30
_CONNECT: Final = 0x10
_MQTT_5: Final = b"\x05"
_HANDSHAKE: Final = b"\x16"
"""Every TLS connection begins so, and no packet of MQTT."""
_MAX_NUMBER_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet as it was on the wire."""

    data: bytes
    payload_at: int | None
    """Where the payload begins, in a PUBLISH of QoS 0; None in every other packet."""


@dataclass(slots=True)
class Dialect:
    """Which MQTT a connection speaks; both of its ways share it, and its CONNECT tells."""

    properties: bool = False
    """Whether a PUBLISH has properties before its payload, as MQTT 5 has."""


class PacketReader:
    """Cuts the bytes of one way of a connection into packets; what is encrypted goes on as it comes."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._rest = b""
        self._encrypted: bool | None = None  # until the first byte tells

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that are whole now."""
        if self._encrypted is None:
            self._encrypted = data[:1] == _HANDSHAKE
        if self._encrypted:
            return [Packet(data, None)]
        self._rest += data
        packets = []
        while (head := _after_number(self._rest, 1)) is not None:
            size = head[0] + head[1]
            if len(self._rest) < size:
                break
            packets.append(self._packet(self._rest[:size], head[0]))
            self._rest = self._rest[size:]
        return packets

    def _packet(self, data: bytes, begin: int) -> Packet:
        """Return a packet whose variable header begins there."""
        if data[0] & 0xF0 == _CONNECT:
            level = data[begin + 6 : begin + 7]  # after the name, MQTT
            self._dialect.properties = level == _MQTT_5
        if data[0] & 0xF6 != _PUBLISH:  # the type and both bits of the QoS
            return Packet(data, None)
        topic_end = begin + 2 + int.from_bytes(data[begin : begin + 2], "big")
        if not self._dialect.properties:
            return Packet(data, min(len(data), topic_end))
        properties = _after_number(data, topic_end)
        return Packet(data, len(data) if properties is None else min(len(data), sum(properties)))


def _after_number(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where MQTT's number of one to four bytes at ``at`` ends, and what it is; None if cut off."""
    number = 0
    for index, byte in enumerate(data[at : at + _MAX_NUMBER_BYTES]):
        number |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return at + index + 1, number
    return None
