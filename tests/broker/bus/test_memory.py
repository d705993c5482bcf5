"""What tests rely on when they use the bus in memory."""

import threading

import pytest

from broker.bus.memory import MemoryBroker
from broker.bus.seam import Handler, Message, Will


def order_of_delivery() -> str:
    order: list[str] = []

    def note(name: str) -> Handler:
        return lambda message: order.append(name + message.payload.decode())

    with MemoryBroker() as broker:
        buses = [broker.bus(name) for name in "abc"]
        for bus in buses:
            bus.subscribe("t", note(bus.client_id))
        for number in range(3):
            buses[number].publish("t", str(number).encode())
        broker.settle()
    return " ".join(order)


def test_the_same_order_every_time() -> None:
    assert {order_of_delivery() for _ in range(20)} == {"a0 b0 c0 a1 b1 c1 a2 b2 c2"}


def test_settle_waits_for_what_handlers_send() -> None:
    with MemoryBroker() as broker:
        bus, got = broker.bus("a"), list[bytes]()

        def count_down(message: Message) -> None:
            got.append(message.payload)
            if message.payload:
                bus.publish("t", message.payload[1:])

        bus.subscribe("t", count_down)
        bus.publish("t", b"xxx")
        broker.settle()
        assert got == [b"xxx", b"xx", b"x", b""]


def test_settle_gives_up_on_what_never_ends() -> None:
    release = threading.Event()
    with MemoryBroker() as broker:
        bus = broker.bus("a")

        def block(_message: Message) -> None:
            release.wait(10)

        bus.subscribe("t", block)
        bus.publish("t", b"")
        with pytest.raises(TimeoutError, match="has not settled"):
            broker.settle(0.01)
        release.set()
        broker.settle()


def test_the_killed_send_nothing_more() -> None:
    with MemoryBroker() as broker:
        victim, watcher = broker.bus("a", Will("state", b"offline")), broker.bus("b")
        got: list[bytes] = []
        watcher.subscribe("#", lambda message: got.append(message.payload))
        victim.kill()
        victim.publish("t", b"late")
        victim.reconnect()
        victim.close()
        broker.settle()
        assert got == [b"offline"]
        assert not victim.connected


def test_a_bus_made_while_the_broker_is_down_connects_when_it_comes() -> None:
    with MemoryBroker() as broker:
        broker.stop()
        bus, got = broker.bus("a"), list[bytes]()
        states: list[bool] = []
        bus.on_connection(states.append)
        bus.subscribe("t", lambda message: got.append(message.payload))
        bus.publish("t", b"early")
        broker.settle()
        assert not bus.connected
        broker.start()
        broker.settle()
        assert (states, got) == ([True], [b"early"])
