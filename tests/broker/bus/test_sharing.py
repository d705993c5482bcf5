"""Two parts on one connection hear the same topics, and what one gives up the other keeps."""

from collections.abc import Iterator

import pytest

from broker.bus.memory import MemoryBroker
from broker.bus.seam import Message
from broker.bus.sharing import SharedBus


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as made:
        yield made


def test_each_share_hears_what_it_subscribed_to(broker: MemoryBroker) -> None:
    shared, sender = SharedBus(broker.bus("cameras")), broker.bus("sender")
    first, second = shared.share(), shared.share()
    heard: list[tuple[str, bytes]] = []

    def hear(name: str, message: Message) -> None:
        heard.append((name, message.payload))

    def say(payload: bytes) -> list[tuple[str, bytes]]:
        heard.clear()
        sender.publish("active", payload, retain=True)
        broker.settle()
        return sorted(heard)

    say(b"before")
    first.subscribe("active", lambda message: hear("first", message))
    broker.settle()
    second.subscribe("active", lambda message: hear("second", message))
    broker.settle()
    assert set(heard) == {("first", b"before"), ("second", b"before")}
    assert say(b"both") == [("first", b"both"), ("second", b"both")]
    first.unsubscribe("active")
    first.unsubscribe("active")
    assert say(b"one") == [("second", b"one")]
    second.close()
    assert say(b"none") == []
    assert shared.bus.connected


def test_a_handler_that_fails_keeps_nothing_from_the_others(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    shared, heard = SharedBus(broker.bus("cameras")), list[Message]()

    def fail(_message: Message) -> None:
        raise ValueError("of the first")

    shared.share().subscribe("active", fail)
    shared.share().subscribe("active", heard.append)
    shared.share().publish("active", b"1")
    broker.settle()
    assert len(heard) == 1
    assert "a handler failed on a message of active" in caplog.messages
