"""Which request is next: one a key, the newest, and none that kills the process for ever."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.fog.layout import Layout, laid_out
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.placer import DirectPlacer
from coordinator.fog.placing import Job, Placed, PlacingQueue
from tests.coordinator.fog.toys import bundle, info

REQUEST = LayoutRequest(bundle(), {"a": info("a")})
NOWHERE = LayoutRequest(bundle(), {})


def in_work(queue: PlacingQueue) -> tuple[str, int]:
    job = queue.next()
    assert job is not None
    return job.key, job.number


def test_what_waits_is_superseded_in_its_place_and_what_is_in_work_is_not() -> None:
    queue = PlacingQueue()
    assert queue.next() is None
    first = queue.submit("digits", REQUEST)
    assert in_work(queue) == ("digits", first)
    queue.submit("digits", REQUEST)
    other = queue.submit("letters", REQUEST)
    newest = queue.submit("digits", REQUEST)
    assert in_work(queue) == ("digits", first)
    queue.answered()
    assert in_work(queue) == ("digits", newest)
    queue.answered()
    assert in_work(queue) == ("letters", other)
    queue.answered()
    assert queue.next() is None


def test_a_request_that_the_process_died_of_is_tried_once_more() -> None:
    queue = PlacingQueue()
    number = queue.submit("digits", REQUEST)
    assert in_work(queue) == ("digits", number)
    assert queue.died() is None
    assert in_work(queue) == ("digits", number)
    answer = queue.died()
    assert answer is not None
    assert (answer.key, answer.number, answer.layout) == ("digits", number, None)
    assert "twice" in answer.reason
    assert queue.next() is None
    assert queue.died() is None  # of nothing


def test_a_newer_request_takes_the_place_of_one_that_the_process_died_of() -> None:
    queue = PlacingQueue()
    queue.submit("digits", REQUEST)
    queue.next()
    newer = queue.submit("digits", REQUEST)
    assert queue.died() is None
    assert in_work(queue) == ("digits", newer)
    assert queue.died() is None  # its first time


@given(st.lists(st.sampled_from(["submit a", "submit b", "next", "answered", "died"])))
def test_the_newest_of_every_key_is_answered_in_the_end(events: list[str]) -> None:
    queue = PlacingQueue()
    newest: dict[str, int] = {}
    answered: dict[str, int] = {}

    def answer(job: Job | Placed | None) -> None:
        if job is not None:
            assert answered.get(job.key, 0) < job.number  # in order, none twice
            answered[job.key] = job.number

    for event in [*events, *["next", "answered"] * 3]:
        match event.split():
            case ["submit", key]:
                newest[key] = queue.submit(key, REQUEST)
            case ["died"]:
                answer(queue.died())
            case ["answered"]:
                answer(queue.next())
                queue.answered()
            case _:
                queue.next()
    assert answered == newest


def test_a_direct_placer_answers_at_once_with_a_layout_or_a_reason() -> None:
    answers: list[Placed] = []
    placer = DirectPlacer(answers.append)
    layout = laid_out(REQUEST)
    numbers = [placer.submit("digits", REQUEST, layout), placer.submit("digits", NOWHERE, layout)]
    assert [answer.number for answer in answers] == numbers
    assert answers[0] == Placed("digits", numbers[0], layout, present=layout)
    assert answers[1] == Placed(
        "digits", numbers[1], None, "devices: no fog node is online.", present=None
    )
    placer.close()
    placer.submit("digits", REQUEST)
    assert len(answers) == 2


def test_the_layout_that_serves_is_judged_by_the_same_knowledge() -> None:
    answers: list[Placed] = []
    serving = laid_out(REQUEST)
    slower = {("a", part.sha256): 0.5 for part in bundle().partitions}
    now = LayoutRequest(bundle(), {"a": info("a")}, node_seconds=slower)
    DirectPlacer(answers.append).submit("digits", now, serving)
    present = answers[0].present
    assert isinstance(present, Layout)
    assert present.placement == serving.placement
    assert present.response_s > 1.0
