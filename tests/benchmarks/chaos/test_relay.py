"""A bad link between two ends, on real sockets."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from benchmarks.chaos.packets import Packet
from benchmarks.chaos.relay import Relay

HELLO = b"\x30\x08\x00\x01x" + b"hello"
"""A message of QoS 0, as a broker has it."""


class Ends:
    """Both ends of a connection that runs over a relay."""

    def __init__(self, relay: Relay, listener: socket.socket) -> None:
        self.part = socket.create_connection(("127.0.0.1", relay.port), 5.0)
        self.broker, _ = listener.accept()
        self.broker.settimeout(5.0)

    def close(self) -> None:
        self.part.close()
        self.broker.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5.0)
        yield listening


@pytest.fixture
def relay(listener: socket.socket) -> Iterator[Relay]:
    with Relay(*listener.getsockname()) as running:
        yield running


@pytest.fixture
def ends(relay: Relay, listener: socket.socket) -> Iterator[Ends]:
    with contextlib.closing(Ends(relay, listener)) as both:
        yield both


def hears_nothing(end: socket.socket) -> bool:
    end.settimeout(0.1)
    try:
        return not end.recv(100)
    except TimeoutError:
        return True
    finally:
        end.settimeout(5.0)


def heard(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += end.recv(size - len(data))
    return data


def connect_and_hear(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5.0) as end:
        return end.recv(100)


def test_a_good_link_carries_both_ways_and_says_when_an_end_is_gone(ends: Ends) -> None:
    ends.part.sendall(HELLO)
    assert ends.broker.recv(100) == HELLO
    ends.broker.sendall(HELLO)
    assert ends.part.recv(100) == HELLO
    ends.part.close()
    assert ends.broker.recv(100) == b""


def test_what_is_held_comes_late_and_the_other_way_goes_on(relay: Relay, ends: Ends) -> None:
    relay.hold("up")
    ends.part.sendall(HELLO)
    ends.broker.sendall(HELLO)
    assert ends.part.recv(100) == HELLO
    assert hears_nothing(ends.broker)
    relay.heal()
    assert ends.broker.recv(100) == HELLO


def test_the_end_of_a_connection_does_not_pass_a_black_hole(relay: Relay, ends: Ends) -> None:
    relay.hold("up", "down")
    ends.broker.close()
    ends.part.settimeout(0.1)
    with pytest.raises(TimeoutError):
        ends.part.recv(100)
    relay.heal()
    ends.part.settimeout(5.0)
    assert ends.part.recv(100) == b""


def test_a_cut_resets_and_refuses_until_it_is_healed(
    relay: Relay, ends: Ends, listener: socket.socket
) -> None:
    relay.cut()
    with pytest.raises(ConnectionResetError):
        ends.part.recv(100)
    with pytest.raises(ConnectionResetError):
        connect_and_hear(relay.port)
    relay.heal()
    again = Ends(relay, listener)
    again.part.sendall(HELLO)
    assert again.broker.recv(100) == HELLO
    again.close()


def test_garbling_begins_and_ends_in_mid_stream(relay: Relay, ends: Ends) -> None:
    def twice(packet: Packet) -> list[bytes]:
        return [packet.data, packet.data]

    ends.part.sendall(HELLO[:4])
    relay.garble(lambda: twice)
    ends.part.sendall(HELLO[4:])
    assert heard(ends.broker, 2 * len(HELLO)) == HELLO * 2
    relay.heal()
    ends.part.sendall(HELLO)
    assert ends.broker.recv(100) == HELLO
