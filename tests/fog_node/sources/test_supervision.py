"""When a live source is opened again: its story told step by step, with a clock of the test's own."""

from hypothesis import given
from hypothesis import strategies as st

from broker.bus.backoff import Backoff
from fog_node.sources.supervision import (
    MOST_ABANDONED,
    OPEN_S,
    READ_S,
    Say,
    Start,
    Supervision,
)


def starts(steps: list[Start | Say]) -> list[int]:
    return [step.attempt for step in steps if isinstance(step, Start)]


def said(steps: list[Start | Say]) -> list[str]:
    return [step.text for step in steps if isinstance(step, Say)]


def due_next(supervision: Supervision) -> float:
    due = supervision.next_due
    assert due is not None
    return due


def test_a_source_is_opened_at_once_and_said_to_be_when_it_gives_a_picture() -> None:
    supervision = Supervision()
    assert starts(supervision.due(0.0)) == [1]
    supervision.opened(1, 1.0)
    assert said(supervision.read(1, 1.1)) == ["opened"]
    assert said(supervision.read(1, 1.2)) == []
    assert supervision.due(1.3) == []


def test_a_source_that_does_not_open_is_tried_ever_more_rarely_and_said_once() -> None:
    supervision = Supervision(Backoff(1.0, 8.0))
    now, words, waits = 0.0, [], []
    for attempt in range(1, 7):
        assert starts(supervision.due(now)) == [attempt]
        words += said(supervision.ended(attempt, "refused", now))
        waits.append(due_next(supervision) - now)
        now = due_next(supervision)
    assert words == ["refused; tries again"]
    assert all(
        most / 2 <= wait <= most for wait, most in zip(waits, (1, 2, 4, 8, 8, 8), strict=True)
    )
    assert starts(supervision.due(now)) == [7]
    assert said(supervision.ended(7, "no route", now)) == ["no route; tries again"]
    assert supervision.trouble == "no route"


def test_a_read_that_hangs_is_left_behind_and_what_it_brings_later_is_not_taken() -> None:
    supervision = Supervision()
    supervision.due(0.0)
    supervision.opened(1, 0.0)
    supervision.read(1, 1.0)
    assert supervision.due(1.0 + READ_S - 0.1) == []
    assert said(supervision.due(1.0 + READ_S)) == ["gave no picture for 5 s; tries again"]
    assert not supervision.is_current(1)
    later = due_next(supervision)
    assert starts(supervision.due(later)) == [2]
    assert supervision.read(1, later + 1.0) == []
    supervision.opened(2, later + 1.0)
    assert said(supervision.read(2, later + 2.0)) == [f"goes on after {later + 2.0 - 6.0:.0f} s"]
    assert (supervision.reopened, supervision.trouble) == (1, None)


def test_an_opening_that_hangs_is_left_behind_too() -> None:
    supervision = Supervision()
    supervision.due(0.0)
    assert said(supervision.due(OPEN_S)) == ["did not open for 10 s; tries again"]


def test_no_more_than_a_few_threads_hang_at_a_time() -> None:
    supervision = Supervision()
    now = 0.0
    for attempt in range(1, MOST_ABANDONED + 1):
        assert starts(supervision.due(now)) == [attempt]
        supervision.due(now + OPEN_S)
        now = due_next(supervision)
    assert said(supervision.due(now)) == ["3 reads hang; waits until one of them ends"]
    assert supervision.next_due is None
    assert supervision.due(now + 1e6) == []
    supervision.ended(2, "came back", now + 1e6)
    assert starts(supervision.due(now + 1e6)) == [MOST_ABANDONED + 1]


def test_a_source_that_is_polled_owes_nothing_until_it_is_asked() -> None:
    supervision = Supervision()
    supervision.due(0.0)
    supervision.opened(1, 0.0, polled=True)
    assert supervision.due(3600.0) == []
    supervision.asked(1, 3600.0)
    supervision.read(1, 3601.0, polled=True)
    assert supervision.due(7200.0) == []
    supervision.asked(1, 7200.0)
    assert said(supervision.due(7200.0 + READ_S)) == ["gave no picture for 5 s; tries again"]


def test_a_source_that_is_asked_over_and_over_and_gives_no_picture_is_in_trouble() -> None:
    supervision = Supervision()
    supervision.due(0.0)
    supervision.opened(1, 0.0, polled=True)
    told = [text for now in range(10) for text in said(asks(supervision, float(now)))]
    assert told == ["gave no picture for 5 s; tries again"]


def asks(supervision: Supervision, now: float) -> list[Start | Say]:
    """Ask for a picture; what comes is none, so nothing is noted."""
    supervision.asked(1, now)
    return supervision.due(now)


def test_only_a_source_that_lasts_is_tried_soon_again() -> None:
    """One that gives a picture and fails, over and over, is not opened ever so often."""
    supervision, now, waits = Supervision(Backoff(1.0, 64.0)), 0.0, []
    for attempt in range(1, 6):
        supervision.due(now)
        supervision.opened(attempt, now)
        supervision.read(attempt, now)
        supervision.ended(attempt, "ended", now)
        waits.append(due_next(supervision) - now)
        now = due_next(supervision)
    assert waits[-1] >= 8.0
    supervision.due(now)
    supervision.opened(6, now)
    for second in range(1, 8):
        supervision.read(6, now + second)
    supervision.ended(6, "ended", now + 8.0)
    assert due_next(supervision) - (now + 8.0) <= 1.0


@given(st.lists(st.tuples(st.sampled_from(["due", "opened", "read", "ended"]), st.floats(0, 20))))
def test_whatever_happens_one_attempt_is_current_and_few_hang(
    events: list[tuple[str, float]],
) -> None:
    supervision, now, begun, ended = Supervision(), 0.0, [0], set[int]()
    for event, seconds in events:
        now += seconds
        newest = begun[-1]
        match event:
            case "due":
                begun += starts(supervision.due(now))
            case "opened":
                supervision.opened(newest, now)
            case "read":
                supervision.read(newest, now)
            case "ended" if newest not in ended and newest:
                ended.add(newest)
                supervision.ended(newest, "ended", now)
        assert begun == list(range(len(begun)))
        hanging = [
            each for each in begun[1:] if each not in ended and not supervision.is_current(each)
        ]
        assert len(hanging) <= MOST_ABANDONED
