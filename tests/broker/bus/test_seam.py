"""One contract for all buses; each test runs over memory, Mosquitto and the embedded broker."""

import logging
import threading
import uuid

import pytest

from broker.bus.outbox import Limits
from broker.bus.seam import MAX_PAYLOAD_BYTES, Message, PayloadTooLargeError, Will
from tests.broker.bus.worlds import SECONDS, Heard, World, settle


def test_delivers_control_and_stream(world: World, site: str) -> None:
    sender, receiver, heard = world.bus(f"{site}-a"), world.bus(f"{site}-b"), Heard()
    receiver.subscribe(f"{site}/t", heard)
    settle(receiver, site)
    big = bytes(range(256)) * 4096
    sender.publish(f"{site}/t", big, stream=True)
    sender.publish(f"{site}/t", b"")
    sender.publish(f"{site}/t", b"last")
    heard.until(b"last")
    heard.until(big)
    assert sorted(heard.messages, key=lambda message: len(message.payload)) == [
        Message(f"{site}/t", b""),
        Message(f"{site}/t", b"last"),
        Message(f"{site}/t", big),
    ]
    assert sender.dropped == 0


def test_a_late_subscriber_gets_what_is_retained(world: World, site: str) -> None:
    sender, receiver, heard = world.bus(f"{site}-a"), world.bus(f"{site}-b"), Heard()
    for payload in (b"old", b"new"):
        sender.publish(f"{site}/kept", payload, retain=True)
    sender.publish(f"{site}/gone", b"x", retain=True)
    sender.publish(f"{site}/gone", b"", retain=True)
    settle(sender, site)
    receiver.subscribe(f"{site}/gone", heard)
    receiver.subscribe(f"{site}/kept", heard)
    heard.until(b"new")
    assert heard.messages == [Message(f"{site}/kept", b"new", retain=True)]


def test_wildcards(world: World, site: str) -> None:
    bus, one, rest = world.bus(f"{site}-a"), Heard(), Heard()
    bus.subscribe(f"{site}/one/+/state", one)
    bus.subscribe(f"{site}/rest/#", rest)
    for topic in ("one/a/state", "one/a/info", "one/state", "rest", "rest/x", "rest/x/y", "other"):
        bus.publish(f"{site}/{topic}", topic.encode())
    settle(bus, site)
    assert one.payloads == [b"one/a/state"]
    assert rest.payloads == [b"rest", b"rest/x", b"rest/x/y"]


def test_unsubscribed_messages_are_dropped(world: World, site: str) -> None:
    bus, heard, other = world.bus(f"{site}-a"), Heard(), Heard()
    bus.subscribe(f"{site}/t", heard)
    bus.subscribe(f"{site}/other", other)
    bus.unsubscribe(f"{site}/t")
    bus.unsubscribe(f"{site}/never")
    bus.publish(f"{site}/t", b"1")
    bus.publish(f"{site}/other", b"2")
    other.until(b"2")
    assert heard.messages == []


def test_a_second_handler_replaces_the_first(world: World, site: str) -> None:
    bus, first, second = world.bus(f"{site}-a"), Heard(), Heard()
    bus.subscribe(f"{site}/t", first)
    bus.subscribe(f"{site}/t", second)
    bus.publish(f"{site}/t", b"1")
    second.until(b"1")
    assert first.messages == []


def test_the_will_of_the_killed(world: World, site: str) -> None:
    watcher, late, heard, heard_late = (
        world.bus(f"{site}-w"),
        world.bus(f"{site}-l"),
        *2 * [Heard()],
    )
    heard_late = Heard()
    watcher.subscribe(f"{site}/state", heard)
    settle(watcher, site)
    victim = world.bus(f"{site}-a", Will(f"{site}/state", b"offline"))
    victim.publish(f"{site}/state", b"online", retain=True)
    heard.until(b"online")
    world.kill(victim)
    heard.until(b"offline")
    late.subscribe(f"{site}/state", heard_late)
    heard_late.until(b"offline")
    assert heard_late.messages == [Message(f"{site}/state", b"offline", retain=True)]


def test_a_clean_close_sends_what_is_queued_and_no_will(world: World, site: str) -> None:
    watcher, heard = world.bus(f"{site}-w"), Heard()
    watcher.subscribe(f"{site}/#", heard)
    settle(watcher, site)
    leaver = world.bus(f"{site}-a", Will(f"{site}/state", b"offline"))
    for number in range(100):
        leaver.publish(f"{site}/t", b"%d" % number)
    leaver.publish(f"{site}/t", b"frame", stream=True)
    leaver.close()
    assert not leaver.connected
    leaver.close()
    heard.until(b"99")
    heard.until(b"frame")
    settle(watcher, site)
    settle(world.bus(f"{site}-b"), site)
    sent = [message.payload for message in heard.messages if message.topic == f"{site}/t"]
    assert [payload for payload in sent if payload != b"frame"] == [b"%d" % n for n in range(100)]
    assert b"offline" not in heard.payloads


def test_a_clean_close_amid_deliveries_fires_no_will(world: World, site: str) -> None:
    watcher, heard = world.bus(f"{site}-w"), Heard()
    watcher.subscribe(f"{site}/state", heard)
    settle(watcher, site)
    first = Heard()
    leaver = world.bus(f"{site}-a", Will(f"{site}/state", b"offline"))
    leaver.subscribe(f"{site}/flood", first)
    settle(leaver, site)
    flooder = world.bus(f"{site}-f")
    for number in range(50):
        flooder.publish(f"{site}/flood", b"%03d" % number + bytes(100_000), stream=True)
    first.until(b"%03d" % 0 + bytes(100_000))
    leaver.close()
    settle(flooder, site)
    settle(world.bus(f"{site}-b"), site)
    settle(watcher, site)
    assert heard.payloads == []


def test_closes_from_inside_a_handler(world: World, site: str) -> None:
    bus, lost = world.bus(f"{site}-a"), threading.Event()
    bus.on_connection(lambda connected: None if connected else lost.set())
    bus.subscribe(f"{site}/t", lambda _: bus.close())
    bus.publish(f"{site}/t", b"end")
    for _ in range(int(SECONDS / 0.01)):
        if not bus.connected:
            break
        lost.wait(0.01)
    assert not bus.connected


def test_a_takeover_speaks_last(world: World, site: str) -> None:
    watcher, heard = world.bus(f"{site}-w"), Heard()
    watcher.subscribe(f"{site}/state", heard)
    settle(watcher, site)
    will = Will(f"{site}/state", b"offline")
    old = world.bus(f"{site}-a", will)
    settle(old, site)
    world.freeze(old)  # it hangs, and the broker does not know yet
    new = world.bus(f"{site}-a", will)
    new.publish(f"{site}/state", b"online", retain=True)
    heard.until(b"online")
    settle(watcher, site)
    # The embedded broker says nothing of the old one; the others do, but never after the new one.
    assert heard.payloads in ([b"offline", b"online"], [b"online"])
    world.kill(old)


def test_too_large_is_refused_and_the_bus_goes_on(world: World, site: str) -> None:
    bus, heard = world.bus(f"{site}-a"), Heard()
    bus.subscribe(f"{site}/t", heard)
    with pytest.raises(PayloadTooLargeError, match="more than") as caught:
        bus.publish(f"{site}/t", bytes(MAX_PAYLOAD_BYTES + 1))
    assert (caught.value.topic, caught.value.size) == (f"{site}/t", MAX_PAYLOAD_BYTES + 1)
    largest = bytes(MAX_PAYLOAD_BYTES)
    bus.publish(f"{site}/t", largest)
    heard.until(largest)
    assert len(heard.messages) == 1


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b"])
def test_topics_that_cannot_be_published_to(world: World, topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        world.bus(f"s{uuid.uuid4().hex}").publish(topic, b"")


def test_of_a_full_stream_the_newest_win(world: World, site: str) -> None:
    """A handler that blocks its bus fills the way out, so the bus has to give messages up."""
    sender = world.bus(f"{site}-a", None, Limits(stream=5))
    receiver, heard = world.bus(f"{site}-b"), Heard()
    receiver.subscribe(f"{site}/out", heard)
    settle(receiver, site)
    blocked, release = threading.Event(), threading.Event()

    def block(_message: Message) -> None:
        blocked.set()
        assert release.wait(SECONDS)

    sender.subscribe(f"{site}/block", block)
    sender.publish(f"{site}/block", b"")
    assert blocked.wait(SECONDS)
    for number in range(12):
        sender.publish(f"{site}/out", b"%d" % number, stream=True)
    assert sender.dropped == 7
    release.set()
    heard.until(b"11")
    assert heard.payloads == [b"7", b"8", b"9", b"10", b"11"]


def test_publishes_and_subscribes_inside_a_handler(world: World, site: str) -> None:
    bus, heard = world.bus(f"{site}-a"), Heard()

    def answer(message: Message) -> None:
        bus.subscribe(f"{site}/answer", heard)
        bus.publish(f"{site}/answer", message.payload + b"!")
        bus.publish(f"{site}/answer", message.payload + b"?", stream=True)

    bus.subscribe(f"{site}/question", answer)
    bus.publish(f"{site}/question", b"hello")
    heard.until(b"hello!")
    heard.until(b"hello?")


def test_survives_a_handler_that_fails(
    world: World, site: str, caplog: pytest.LogCaptureFixture
) -> None:
    bus, heard = world.bus(f"{site}-a"), Heard()

    def fail(_message: Message) -> None:
        raise RuntimeError("a fault of the handler")

    bus.subscribe(f"{site}/bad", fail)
    bus.subscribe(f"{site}/good", heard)
    with caplog.at_level(logging.ERROR):
        bus.publish(f"{site}/bad", b"1")
        bus.publish(f"{site}/good", b"2")
        heard.until(b"2")
    assert f"a handler failed on a message of {site}/bad" in caplog.text
    assert bus.connected


def test_control_waits_for_a_connection_and_the_stream_does_not(world: World, site: str) -> None:
    receiver, heard = world.bus(f"{site}-b"), Heard()
    receiver.subscribe(f"{site}/t", heard)
    settle(receiver, site)
    sender = world.bus(f"{site}-a", Will(f"{site}/state", b"offline"))
    states: list[bool] = []
    changed = threading.Semaphore(0)

    def listen(connected: bool) -> None:
        states.append(connected)
        changed.release()

    sender.on_connection(listen)
    assert changed.acquire(timeout=SECONDS)
    world.cut(sender)
    assert changed.acquire(timeout=SECONDS)
    assert not sender.connected
    sender.publish(f"{site}/t", b"frame", stream=True)
    sender.publish(f"{site}/t", b"1")
    sender.publish(f"{site}/t", b"2", retain=True)
    sender.publish(f"{site}/t", b"3", retain=True)
    sender.publish(f"{site}/t", b"4")
    assert sender.dropped == 1
    world.mend(sender)
    assert changed.acquire(timeout=SECONDS)
    heard.until(b"4")
    assert heard.payloads == [b"3", b"1", b"4"]  # retained first, its last word only
    assert states == [True, False, True]


def test_a_restarted_broker_learns_everything_again(restartable_world: World, site: str) -> None:
    world = restartable_world
    owner, peer, heard, seen = world.bus(f"{site}-a"), world.bus(f"{site}-b"), Heard(), Heard()
    owner.publish(f"{site}/state", b"online", retain=True)
    owner.publish(f"{site}/cleared", b"x", retain=True)
    owner.publish(f"{site}/cleared", b"", retain=True)
    owner.subscribe(f"{site}/ask", heard)
    settle(owner, site)
    world.restart()
    peer.subscribe(f"{site}/state", seen)
    seen.until(b"online")
    peer.publish(f"{site}/ask", b"?")
    heard.until(b"?")
    assert heard.payloads == [b"?"]


def test_the_last_word_is_not_overtaken_by_an_older_one(
    restartable_world: World, site: str
) -> None:
    """What waits for an acknowledgement when the connection is lost comes before, not after."""
    world = restartable_world
    owner, peer, seen = world.bus(f"{site}-a"), world.bus(f"{site}-b"), Heard()
    settle(owner, site)
    for number in range(200):
        owner.publish(f"{site}/state", b"%03d" % number, retain=True)
    world.cut(owner)
    owner.publish(f"{site}/state", b"last", retain=True)
    world.mend(owner)
    settle(owner, site)
    peer.subscribe(f"{site}/state", seen)
    seen.until(b"last")
    settle(peer, site)
    assert seen.payloads[-1] == b"last"


def test_a_renewed_connection_hears_and_retains_everything_again(world: World, site: str) -> None:
    bus, other = world.bus(f"a-{site}", Will(f"{site}/state", b"offline")), world.bus(f"b-{site}")
    heard, connections = Heard(), threading.Semaphore(0)
    bus.on_connection(lambda there: connections.release() if there else None)
    assert connections.acquire(timeout=SECONDS)
    bus.subscribe(f"{site}/x", heard)
    bus.publish(f"{site}/state", b"online", retain=True)
    settle(bus, site)
    bus.renew()
    assert connections.acquire(timeout=SECONDS)
    settle(bus, site)
    other.publish(f"{site}/x", b"again")
    heard.until(b"again")
    state = Heard()
    other.subscribe(f"{site}/state", state)
    state.until(b"online")
