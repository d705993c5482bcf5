"""A client that only publishes, as fast as it is let: MQTT 3.1.1 by hand, for paho would be the limit."""

import socket
import ssl
import struct
from typing import Final

from broker.access.credentials import NOBODY, Credentials
from broker.bus.url import BrokerUrl

_PATIENCE_S: Final = 30.0
_CONNACK: Final = b"\x20\x02\x00\x00"


class FloodError(Exception):
    """The broker does not take us."""


class Flood:
    """One connection; QoS 0, so nothing is waited for but room in the socket."""

    def __init__(self, url: BrokerUrl, client_id: str, who: Credentials = NOBODY) -> None:
        plain = socket.create_connection((url.host, url.port), _PATIENCE_S)
        if url.tls:
            context = ssl.create_default_context(cadata=who.ca)
            self._socket: socket.socket = context.wrap_socket(plain, server_hostname=url.host)
        else:
            self._socket = plain
        flags, fields = 2, _text(client_id)  # a clean session
        if who.user is not None and who.password is not None:
            flags |= 0xC0
            fields += _text(who.user) + _text(who.password)
        self._socket.sendall(_packet(0x10, b"\0\4MQTT\4" + bytes([flags]) + b"\0\0" + fields))
        if self._socket.recv(4) != _CONNACK:
            raise FloodError("the broker refused the attacker")

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Send one message.

        Raises:
            OSError: the broker has enough of us.
        """
        self._socket.sendall(_packet(0x31 if retain else 0x30, _text(topic) + payload))


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + body
