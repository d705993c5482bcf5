"""The embedded broker where amqtt alone would fail: a client that comes while another subscribes."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.engine.running import RunningBroker

SECONDS = 10.0
CONNECT, SUBACK, PUBLISH = 0x10, 0x90, 0x30
LARGE = bytes(1_000_000)


def packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes([kind, len(body)]) + body


def text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


def received(sock: socket.socket) -> tuple[int, bytes]:
    """Return the kind and the body of the next packet (MQTT 3.1.1, section 2.2)."""
    kind, length, shift = _exactly(sock, 1)[0], 0, 0
    while True:
        byte = _exactly(sock, 1)[0]
        length += (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return kind & 0xF0, _exactly(sock, length)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = sock.recv(size - len(data))
        assert part, "the broker closed the connection"
        data += part
    return bytes(data)


@pytest.fixture
def other(embedded: RunningBroker, site: str) -> Iterator[MqttBus]:
    """Return a client that hears retained messages, too many to be sent at once."""
    bus = MqttBus.connect(embedded.url, f"other-{site}")
    heard: Inbox[Message] = Inbox()
    bus.subscribe(f"{site}/large/+", heard.put)
    topics = [f"{site}/large/{number}" for number in range(8)]
    for topic in topics:
        bus.publish(topic, LARGE, retain=True)
    for _ in topics:
        assert heard.get(SECONDS) is not None
    yield bus
    for topic in topics:
        bus.publish(topic, b"", retain=True)
    bus.close()


def test_a_client_that_comes_while_another_subscribes_is_heard(
    embedded: RunningBroker, site: str, other: MqttBus
) -> None:
    address = urlsplit(embedded.url)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(SECONDS)
        sock.connect((address.hostname, address.port))
        hello = text("MQTT") + bytes([4, 2, 0, 60]) + text(f"new-{site}")
        sock.sendall(packet(CONNECT, hello))
        received(sock)
        # What amqtt alone sends now does not fit: it would be in the middle of it when a filter comes.
        heard: Inbox[Message] = Inbox()
        other.subscribe(f"{site}/more", heard.put)
        other.publish(f"{site}/more", b"")
        assert heard.get(SECONDS) is not None
        sock.sendall(packet(0x82, b"\x00\x01" + text(f"{site}/mine") + b"\x00"))
        kinds = [received(sock)[0]]
        while kinds[-1] != SUBACK:
            kinds.append(received(sock)[0])
    assert PUBLISH not in kinds, "retained messages of another's filters"
