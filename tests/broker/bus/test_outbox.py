"""What waits, what is given up, and in which order the rest goes out."""

from hypothesis import given
from hypothesis import strategies as st

from broker.bus.backoff import Backoff
from broker.bus.outbox import Limits, Outbox, Outgoing


def control(topic: str, payload: bytes = b"x") -> Outgoing:
    return Outgoing(topic, payload, retain=False, stream=False)


def kept(topic: str, payload: bytes = b"x") -> Outgoing:
    return Outgoing(topic, payload, retain=True, stream=False)


def frame(topic: str, payload: bytes = b"x") -> Outgoing:
    return Outgoing(topic, payload, retain=False, stream=True)


def drain(outbox: Outbox) -> list[Outgoing]:
    taken = []
    while message := outbox.take(control=True):
        taken.append(message)
    return taken


def opened(limits: Limits | None = None) -> Outbox:
    outbox = Outbox(limits)
    outbox.open()
    return outbox


def test_control_goes_first_unless_it_is_held_back() -> None:
    outbox = opened()
    for message in (frame("f"), control("c")):
        outbox.put(message)
    assert outbox.take(control=False) == frame("f")
    assert outbox.take(control=False) is None
    assert drain(outbox) == [control("c")]


def test_the_stream_is_bounded_in_bytes_too() -> None:
    outbox = opened(Limits(stream=100, stream_bytes=10))
    for number in range(5):
        outbox.put(frame(str(number), bytes(4)))
    assert [message.topic for message in drain(outbox)] == ["3", "4"]
    assert outbox.dropped == 3
    outbox.put(frame("large", bytes(50)))  # alone it may pass, or it never would
    assert [message.topic for message in drain(outbox)] == ["large"]


def test_a_new_connection_hears_the_retained_state_and_what_was_not_acknowledged() -> None:
    outbox = opened()
    outbox.put(kept("state", b"1"))
    outbox.put(control("ask"))
    outbox.put(frame("f"))
    first = outbox.take(control=True)
    second = outbox.take(control=True)
    assert first is not None
    assert second is not None
    outbox.acknowledge(first)
    outbox.put(kept("state", b"2"))
    outbox.put(control("next"))
    outbox.shut([second])
    assert outbox.dropped == 1
    outbox.open()
    assert drain(outbox) == [kept("state", b"2"), control("ask"), control("next")]


def test_a_cleared_topic_is_cleared_again_until_the_broker_knows() -> None:
    outbox = opened()
    outbox.put(kept("gone", b""))
    cleared = drain(outbox)
    outbox.shut(cleared)
    outbox.open()
    (again,) = drain(outbox)
    assert again == kept("gone", b"")
    outbox.acknowledge(again)
    outbox.shut()
    outbox.open()
    assert drain(outbox) == []


def test_control_is_bounded_but_the_last_word_on_a_retained_topic_stays() -> None:
    outbox = opened(Limits(control=3))
    outbox.put(kept("state"))
    for number in range(5):
        outbox.put(control(str(number)))
    assert [message.topic for message in drain(outbox)] == ["state", "3", "4"]
    assert outbox.dropped == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=9), st.booleans())))
def test_never_more_than_the_limits(puts: list[tuple[str, bytes, bool]]) -> None:
    limits = Limits(stream=4, stream_bytes=20, control=4, control_bytes=20)
    outbox = opened(limits)
    for topic, payload, stream in puts:
        outbox.put(Outgoing(topic, payload, retain=False, stream=stream))
    left = drain(outbox)
    assert len(left) + outbox.dropped == len(puts)
    for stream in (True, False):
        lane = [message for message in left if message.stream is stream]
        assert len(lane) <= 4
        assert sum(len(message.payload) for message in lane) <= 20
        newest = [Outgoing(t, p, retain=False, stream=s) for t, p, s in puts if s is stream]
        assert lane == newest[len(newest) - len(lane) :]


def test_delays_double_up_to_the_longest_and_are_jittered() -> None:
    backoff = Backoff(first=1.0, longest=5.0)
    for step in (1, 2, 4, 5, 5):
        assert step / 2 <= backoff.delay() <= step
    backoff.reset()
    assert backoff.delay() <= 1
