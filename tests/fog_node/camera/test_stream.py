"""A camera's stream: reliable answers every frame exactly once, live lets go."""

import heapq
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.messages import Active, BundleName, Result
from fog_node.camera.stream import UNANSWERED_MOST, Answer, CameraStream, Delivery, Send
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


def a_stream(
    count: int | None = 3, delivery: Delivery = "reliable", fps: float = FPS
) -> CameraStream:
    stream = CameraStream(fps, count, delivery)
    stream.activate(active())
    return stream


def sent(sends: list[Send]) -> list[int]:
    return [send.frame_id for send in sends]


# --- reliable -------------------------------------------------------------------------------


@given(st.integers(1, 60), fates, st.integers(0, 8))
def test_every_frame_is_answered_exactly_once_whatever_is_lost(
    count: int, luck: list[str], redeploy_after: int
) -> None:
    # The fog is a list of answers in flight; the clock jumps to whatever comes next.
    stream, luck = a_stream(count), list(luck)
    now, epoch, sends = 0.0, 1, 0
    answers: list[Answer] = []
    in_flight: list[tuple[float, int, int]] = []
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
                heapq.heappush(in_flight, (now + delay, send.frame_id, send.epoch))
            if fate == "twice":
                heapq.heappush(in_flight, (now + 5.0, send.frame_id, send.epoch))
        assert len(stream.unanswered) <= UNANSWERED_MOST
        due = stream.next_due(now)
        assert due >= now
        if in_flight and in_flight[0][0] <= due:
            now, frame_id, by = heapq.heappop(in_flight)
            answered = stream.answered(result(frame_id, by), now)
            answers += [] if answered is None else [answered]
        else:
            now = due
    for _, frame_id, by in in_flight:  # what comes after the end
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
    assert len(sent(stream.due(5.0))) <= 4  # the first one again, and no fifty new ones
    assert len(stream.due(5.05)) <= 1


def test_pictures_in_memory_are_bounded() -> None:
    stream = a_stream(count=None, fps=1000.0)
    for step in range(30_000):
        stream.due(step / 1000)
    assert len(stream.unanswered) <= UNANSWERED_MOST
    assert stream.next_due(30.0) > 30.0, "a loop that waits for this would spin"


def retry_at(stream: CameraStream, after: float) -> float:
    """Return when the stream retries, looking every 10 ms."""
    for step in range(1, 2000):
        if stream.due(after + step / 100):
            return after + step / 100
    raise AssertionError("it does not retry")


def test_a_frame_that_is_sent_again_carries_the_epoch_that_serves_then() -> None:
    stream = a_stream(count=1)
    assert stream.due(0.0) == [Send(0, 1, 0.0, None)]
    stream.activate(active(2))
    retry_at(stream, 0.0)
    assert stream.counters.resent == 1
    assert stream.answered(result(0, 2), 3.0) is not None
    assert stream.counters.mixed_epochs == 0


def test_retries_back_off_until_another_epoch_serves() -> None:
    stream = a_stream(count=1)
    stream.due(0.0)
    times = [0.0]
    for _ in range(4):
        times.append(retry_at(stream, times[-1]))
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert waits[2] > 1.5 * waits[0]
    stream.activate(active(2))  # what kept the answers away is over
    assert retry_at(stream, times[-1]) - times[-1] <= waits[0]


def test_either_epoch_that_a_frame_was_sent_with_may_answer_it() -> None:
    for epoch in (1, 2):
        stream = a_stream(count=1)
        stream.due(0.0)
        stream.activate(active(2))
        retry_at(stream, 0.0)
        assert stream.answered(result(0, epoch), 9.0) is not None
        assert stream.counters.mixed_epochs == 0


def test_an_answer_by_an_epoch_that_a_frame_never_had_is_mixed() -> None:
    stream = a_stream(count=1)
    stream.due(0.0)
    stream.answered(result(0, epoch=3), 1.0)
    assert stream.counters.mixed_epochs == 1


def test_the_latency_counts_from_the_first_sending() -> None:
    stream = a_stream(count=1)
    stream.due(10.0)
    retry_at(stream, 10.0)
    answer = stream.answered(result(0), 15.0)
    assert answer is not None
    assert (answer.latency_s, answer.sent_at) == (5.0, 10.0)


def test_a_second_answer_is_dropped_and_a_strangers_is_none() -> None:
    stream = a_stream(count=1)
    stream.due(0.0)
    assert stream.answered(result(0, missing=("left",)), 0.1) is not None
    assert stream.answered(result(0), 0.2) is None
    assert stream.answered(result(77), 0.2) is None
    counters = stream.counters
    assert (counters.answered, counters.repeats, counters.incomplete) == (1, 1, 1)


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
    (first,) = stream.due(0.0)
    assert first == Send(0, 1, 0.0, stream.deadline_s)
    assert sent(stream.due(0.1)) == [1]
    assert stream.answered(result(1), 0.2) is not None
    assert not stream.done
    assert first.deadline is not None
    assert stream.due(first.deadline) == []
    assert stream.done
    assert (stream.counters.lost, stream.counters.resent) == (1, 0)


def test_the_newest_picture_takes_the_place_of_those_that_wait() -> None:
    stream = a_stream(count=100, delivery="live", fps=100.0)
    frames = [send for step in range(50) for send in stream.due(step / 100)]
    waiting = 50 - len(frames)
    assert waiting > 10, "the window was never full"
    assert stream.counters.superseded == 0
    stream.answered(result(0), 0.495)
    (newest,) = stream.due(0.495)  # at once, with the last of the pictures that came
    assert newest.superseded == waiting - 1
    assert stream.counters.superseded == waiting - 1


# --- a fog that is given more than it can do --------------------------------------------------


class Fog:
    """Takes frames one after the other, each for ``busy_s``, after ``way_s`` of transport."""

    def __init__(self, busy_s: float, way_s: float = 0.005) -> None:
        self.busy_s, self.way_s = busy_s, way_s
        self.free_at = 0.0
        self.frozen: tuple[float, float] | None = None
        self.answers: list[tuple[float, int]] = []
        self.works = 0

    def take(self, frame_id: int, now: float) -> None:
        begin = max(now + self.way_s, self.free_at)
        if self.frozen is not None and self.frozen[0] <= begin < self.frozen[1]:
            begin = self.frozen[1]
        self.free_at = begin + self.busy_s
        self.works += 1
        heapq.heappush(self.answers, (self.free_at, frame_id))


def play(stream: CameraStream, fog: Fog, until: float) -> list[Answer]:
    """Have the camera and the fog talk; return the answers in order."""
    now, answers = 0.0, list[Answer]()
    while now < until and not stream.done:
        for send in stream.due(now):
            fog.take(send.frame_id, now)
        due = stream.next_due(now)
        if fog.answers and fog.answers[0][0] <= due:
            now, frame_id = heapq.heappop(fog.answers)
            answer = stream.answered(result(frame_id), now)
            answers += [] if answer is None else [answer]
        else:
            now = max(due, now + 1e-4)
    return answers


def late(answers: list[Answer]) -> float:
    """Return the latency that 95 % keep to, of the second half."""
    half = sorted(answer.latency_s for answer in answers[len(answers) // 2 :])
    return half[int(0.95 * len(half))]


@given(st.floats(1.0, 20.0), st.floats(0.002, 0.2))
def test_live_overload_keeps_the_fog_busy_and_the_answers_fresh(load: float, busy_s: float) -> None:
    fog = Fog(busy_s)
    seconds = 400 * busy_s
    stream = a_stream(count=None, delivery="live", fps=load / busy_s)
    answers = play(stream, fog, seconds)
    assert len(answers) >= 0.9 * min(1.0, load) * seconds / busy_s - 5
    assert stream.counters.lost == 0
    # A few frames queue, however much more is offered.
    assert late(answers) <= fog.way_s + 10 * busy_s


@given(st.floats(1.0, 20.0), st.floats(0.002, 0.2))
def test_reliable_overload_answers_all_and_hardly_repeats_itself(
    load: float, busy_s: float
) -> None:
    fog = Fog(busy_s)
    stream = a_stream(count=200, fps=load / busy_s)
    answers = play(stream, fog, 1e6)
    assert [answer.frame_id for answer in answers] == list(range(200))
    assert fog.works <= 210
    assert late(answers) <= fog.way_s + 12 * busy_s


@pytest.mark.parametrize("delivery", ["live", "reliable"])
def test_a_fog_that_was_frozen_answers_at_once_when_it_wakes(delivery: Delivery) -> None:
    fog = Fog(busy_s=0.07)  # a node at 7 % of a core, with 10 frames/s offered
    fog.frozen = (5.0, 12.0)
    stream = a_stream(count=300, delivery=delivery, fps=10.0)
    answers = play(stream, fog, 60.0)
    times = [answer.sent_at + answer.latency_s for answer in answers]
    assert min(time for time in times if time > 12.0) < 13.0
    assert stream.counters.answered + stream.counters.lost == stream.counters.sent
    if delivery == "reliable":
        assert stream.counters.answered == 300
        assert fog.works < 400, "a livelock of retries"


# --- live sources ---------------------------------------------------------------------------


def test_a_tick_without_a_picture_waits_for_the_next_one() -> None:
    stream = a_stream(count=None, delivery="live")
    assert sent(stream.due(0.0, 0)) == []
    assert stream.hungry(0.0, 0)
    assert stream.next_due(0.0, 0) > 0.0  # whoever brings a picture wakes the loop
    assert sent(stream.due(0.04, 1)) == [0]
    assert not stream.hungry(0.04, 0)
    assert stream.next_due(0.04, 0) == pytest.approx(1 / FPS)
    assert sent(stream.due(0.73, 2)) == [1]  # held up, it goes on from now
    assert stream.next_due(0.73, 0) == pytest.approx(0.73 + 1 / FPS)


def test_one_picture_is_sent_once_however_often_it_is_looked_at() -> None:
    stream = a_stream(count=None, delivery="live")
    assert sent(stream.due(0.0, 1)) == [0]
    assert sent(stream.due(0.2, 1)) == []
    assert sent(stream.due(0.3, 2)) == [1]


def test_a_picture_that_waited_for_room_and_is_stale_by_now_is_not_sent() -> None:
    stream = a_stream(count=None, delivery="live", fps=100.0)
    now, number = 0.0, 0
    while len(stream.unanswered) < 4:  # the window at the start
        number += 1
        stream.due(now, number)
        now += 0.01
    assert sent(stream.due(now, number + 1)) == []
    first = min(stream.unanswered)
    stream.answered(result(first), now + 0.7)
    assert sent(stream.due(now + 0.7, 0)) == []
    assert stream.hungry(now + 0.7, 0)
    assert sent(stream.due(now + 0.8, number + 2)) == [4]


def test_what_was_not_sent_after_all_is_no_frame() -> None:
    """A picture that could not be read gives way to another; one in which nothing moved does not."""
    stream = a_stream(count=2, delivery="live")
    (send,) = stream.due(0.0, 1)
    stream.withdraw(send.frame_id, again=True)
    (send,) = stream.due(0.2, 2)
    stream.withdraw(send.frame_id, again=False)
    assert not stream.done
    (send,) = stream.due(0.4, 3)
    assert (send.frame_id, stream.next_frame, stream.counters.sent) == (2, 3, 1)
    stream.answered(result(2), 0.5)
    assert stream.done
