"""No picture is older than half a second when it is sent, whatever the source and the stream do."""

from hypothesis import given
from hypothesis import strategies as st

from broker.messages import Active, BundleName
from fog_node.camera.stream import CameraStream
from fog_node.sources.newest import FRESH_S, Newest, Shot
from fog_node.sources.source import Pixels
from tests.fog_node.scene import DEPLOYMENT, PICTURE

ACTIVE = Active(
    deployment=DEPLOYMENT,
    epoch=1,
    bundle=BundleName(name="digits", version="1"),
    classes=("cat", "dog"),
    input=PICTURE,
)


def never(_size: tuple[int, int]) -> Pixels:
    raise AssertionError("what is only passed on is not decoded")


def shot(at: float) -> Shot:
    return Shot(at, f"{at:.2f}", never)


def test_a_source_of_25_a_second_at_5_a_second_sends_none_that_is_stale() -> None:
    """Ten minutes by the test's clock; the loop looks every 50 ms at the latest, as a busy one does."""
    newest, stream = Newest(), CameraStream(5.0, None, "live")
    stream.activate(ACTIVE)
    sent: list[float] = []
    came, now = 0, 0.0
    while now < 600.0:
        while came / 25.0 <= now:
            newest.put(shot(came / 25.0))
            came += 1
        for send in stream.due(now, newest.number(now)):
            taken = newest.take(now)
            assert taken is not None
            assert newest.sent(taken, now)
            sent.append(now - taken.at)
            stream._pending.pop(send.frame_id)  # answered at once
        now += 0.05
    assert len(sent) >= 2990
    assert max(sent) <= FRESH_S
    counted = newest.counters
    assert counted.oldest_s == max(sent)
    assert counted.came == came
    assert counted.came - len(sent) - counted.replaced - counted.stale <= 1


def test_a_picture_waits_for_room_only_while_it_is_fresh() -> None:
    newest = Newest()
    newest.put(shot(10.0))
    assert newest.number(10.4) == 1
    assert newest.number(10.6) == 0
    assert newest.take(10.6) is None
    assert (newest.counters.stale, newest.counters.replaced) == (1, 0)


def test_a_newer_picture_takes_the_place_of_the_one_that_waits() -> None:
    newest = Newest()
    for at in (1.0, 1.1, 1.2):
        newest.put(shot(at))
    taken = newest.take(1.3)
    assert taken is not None
    assert taken.at == 1.2
    assert newest.number(1.3) == 0
    assert newest.counters.replaced == 2


def test_what_became_stale_while_it_was_decoded_is_not_sent() -> None:
    newest = Newest()
    newest.put(shot(1.0))
    taken = newest.take(1.1)
    assert taken is not None
    assert not newest.sent(taken, 1.6)
    assert newest.counters.stale == 1


def test_what_queued_up_while_the_process_was_stopped_is_left_to_pass() -> None:
    newest = Newest()
    newest.number(10.0)
    newest.put(shot(20.0))  # it seems fresh, and was on the way for ten seconds
    assert newest.number(20.0) == 0
    newest.put(shot(20.2))
    assert newest.number(20.2) == 0
    newest.put(shot(20.3))
    assert newest.number(20.3) == 3


@given(st.lists(st.tuples(st.sampled_from(["put", "take", "look"]), st.floats(0.0, 1.4))))
def test_every_picture_is_sent_replaced_stale_or_waits(events: list[tuple[str, float]]) -> None:
    newest, now, sent = Newest(), 0.0, 0
    for event, seconds in events:
        now += seconds
        if event == "put":
            newest.put(shot(now))
        elif event == "take":
            taken = newest.take(now)
            if taken is not None:
                assert now - taken.at <= FRESH_S
                sent += 1
        else:
            newest.number(now)
    counted = newest.counters
    assert 0 <= counted.came - sent - counted.replaced - counted.stale <= 1
