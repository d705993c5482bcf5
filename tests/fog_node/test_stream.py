"""A camera's stream: reliable answers every frame exactly once, live lets go."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.messages import Active, BundleName, Result
from fog_node.stream import LIVE_DEADLINE_S, WINDOW, Answer, Delivery, Send, Stream
from tests.fog_node.scene import PICTURE
from tests.fog_node.strategies import fates

FPS = 10.0


def active(epoch: int = 1) -> Active:
    bundle = BundleName(name="digits", version="1")
    return Active(deployment="d", epoch=epoch, bundle=bundle, classes=("cat",), input=PICTURE)


def result(frame_id: int, epoch: int = 1, missing: tuple[str, ...] = ()) -> Result:
    return Result(
        deployment="d",
        camera="door",
        frame_id=frame_id,
        source="",
        label="cat",
        confidence=1.0,
        epoch=epoch,
        missing=missing,
        latency=(),
    )


def a_stream(count: int | None = 3, delivery: Delivery = "reliable", fps: float = FPS) -> Stream:
    stream = Stream(fps, count, delivery)
    stream.activate(active())
    return stream


def sent(sends: list[Send]) -> list[int]:
    return [send.frame_id for send in sends]


# --- reliable -------------------------------------------------------------------------------


@given(st.integers(1, 60), fates, st.integers(0, 8))
def test_every_frame_is_answered_exactly_once_whatever_is_lost(
    count: int, luck: list[str], redeploy_after: int
) -> None:
    # The fog is a list of answers under way; the clock jumps to whatever comes next.
    stream, luck = a_stream(count), list(luck)
    now, epoch, sends = 0.0, 1, 0
    answers: list[Answer] = []
    under_way: list[tuple[float, int, int]] = []
    while not stream.done:
        assert now < 1000, "it does not come to an end"
        for send in stream.due(now):
            sends += 1
            if sends == redeploy_after:
                epoch = 2
                stream.activate(active(epoch))
            fate = luck.pop() if luck else "answered"
            delay = 3.5 if fate == "late" else 0.01 * (send.frame_id % 3)
            if fate not in ("lost", "answer lost"):
                heapq.heappush(under_way, (now + delay, send.frame_id, send.epoch))
            if fate == "twice":
                heapq.heappush(under_way, (now + 5.0, send.frame_id, send.epoch))
        assert len(stream.unanswered) <= WINDOW
        due = stream.next_due(now)
        assert due >= now
        if under_way and under_way[0][0] <= due:
            now, frame_id, by = heapq.heappop(under_way)
            answered = stream.answered(result(frame_id, by), now)
            answers += [] if answered is None else [answered]
        else:
            now = due
    for _, frame_id, by in under_way:  # what comes after the end
        assert stream.answered(result(frame_id, by), now) is None
    assert sorted(answer.frame_id for answer in answers) == list(range(count))
    counters = stream.counters
    assert (counters.sent, counters.answered, counters.lost) == (count, count, 0)
    assert counters.mixed_epochs == 0
    assert counters.resent == sends - count


def test_frames_come_at_their_rate() -> None:
    stream = a_stream()
    assert sent(stream.due(0.0)) == [0]
    assert stream.next_due(0.0) == pytest.approx(0.1)
    assert sent(stream.due(0.05)) == []
    assert sent(stream.due(0.1)) == [1]
    assert sent(stream.due(0.2)) == [2]
    assert sent(stream.due(0.3)) == []
    assert stream.counters.sent == 3


def test_a_camera_that_was_held_up_does_not_flood_the_fog() -> None:
    stream = a_stream(count=100)
    stream.due(0.0)
    assert sent(stream.due(5.0)) == [0, 1, 2, 3]  # the first one again, and no fifty new ones
    assert len(stream.due(5.05)) <= 1


def test_so_many_frames_are_unanswered_and_no_more() -> None:
    stream = a_stream(count=None, fps=1000.0)
    for step in range(1500):
        stream.due(step / 1000)
    assert len(stream.unanswered) == WINDOW
    assert stream.next_due(1.5) > 1.5
    stream.answered(result(0), 1.5)
    assert WINDOW in sent(stream.due(1.501))


def test_a_frame_that_is_sent_again_carries_the_epoch_that_serves_then() -> None:
    stream = a_stream(count=1)
    assert stream.due(0.0) == [Send(0, 1, 0.0, None)]
    stream.activate(active(2))
    assert stream.due(stream.resend_s - 0.01) == []
    assert stream.due(stream.resend_s) == [Send(0, 2, 0.0, None)]
    assert stream.counters.resent == 1


@pytest.mark.parametrize("epoch", [1, 2])
def test_either_epoch_that_a_frame_was_sent_with_may_answer_it(epoch: int) -> None:
    stream = a_stream(count=1)
    stream.due(0.0)
    stream.activate(active(2))
    stream.due(stream.resend_s)
    assert stream.answered(result(0, epoch), 3.0) is not None
    assert stream.counters.mixed_epochs == 0


def test_an_answer_by_an_epoch_that_a_frame_never_had_is_mixed() -> None:
    stream = a_stream(count=1)
    stream.due(0.0)
    stream.answered(result(0, epoch=3), 1.0)
    assert stream.counters.mixed_epochs == 1


def test_the_latency_counts_from_the_first_sending() -> None:
    stream = a_stream(count=1)
    stream.due(10.0)
    stream.due(10.0 + stream.resend_s)
    answer = stream.answered(result(0), 15.0)
    assert answer is not None
    assert (answer.latency_s, answer.sent_at) == (5.0, 10.0)


def test_a_slow_fog_is_given_time() -> None:
    stream = a_stream(count=100)
    for _ in range(20):
        stream.due(0.0)
    stream.answered(result(0), 1.5)
    assert stream.resend_s == 6.0


def test_a_second_answer_is_a_duplicate_and_a_strangers_is_none() -> None:
    stream = a_stream(count=1)
    stream.due(0.0)
    assert stream.answered(result(0, missing=("left",)), 0.1) is not None
    assert stream.answered(result(0), 0.2) is None
    assert stream.answered(result(77), 0.2) is None
    counters = stream.counters
    assert (counters.answered, counters.duplicates, counters.incomplete) == (1, 1, 1)


# --- nothing serves -------------------------------------------------------------------------


@pytest.mark.parametrize("delivery", ["live", "reliable"])
def test_while_nothing_serves_it_waits_without_a_hurry(delivery: Delivery) -> None:
    stream = a_stream(count=3, delivery=delivery)
    stream.due(0.0)
    stream.activate(None)
    for now in (0.5, 50.0):
        assert stream.due(now) == []
        assert stream.next_due(now) > now, "a loop that waits for this would spin"
    stream.activate(active(2))
    assert stream.due(50.0)


# --- live -----------------------------------------------------------------------------------


def test_live_frames_have_a_deadline_are_sent_once_and_given_up() -> None:
    stream = a_stream(count=2, delivery="live")
    assert stream.due(0.0) == [Send(0, 1, 0.0, LIVE_DEADLINE_S)]
    assert sent(stream.due(0.1)) == [1]
    assert stream.answered(result(1), 0.2) is not None
    assert not stream.done
    assert stream.due(2 * LIVE_DEADLINE_S) == []
    assert stream.done
    assert (stream.counters.lost, stream.counters.resent) == (1, 0)


def test_a_live_stream_is_not_held_up_by_what_is_unanswered() -> None:
    stream = a_stream(count=None, delivery="live", fps=1000.0)
    for step in range(200):
        stream.due(step / 1000)
    assert stream.counters.sent >= 199
    for step in range(200, 5000):
        stream.due(step / 1000)
        assert len(stream.unanswered) <= 2 * LIVE_DEADLINE_S * 1000 + 5
