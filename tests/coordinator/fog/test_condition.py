from hypothesis import given
from hypothesis import strategies as st

from broker.messages import Measured, Predicted, Status
from coordinator.fog.condition import LATE_WORD, degraded, noticeable, rounded
from tests.coordinator.fog.toys import NAME

STATUS = Status(
    deployment=NAME,
    revision=1,
    phase="serving",
    epoch=1,
    predicted=Predicted(response_s=0.04, lower_bound_s=0.03),
    measured=Measured(response_s=0.04, frames_per_s=20.0, incomplete=0.0),
)


def measured(
    response_s: float = 0.04, frames_per_s: float = 20.0, incomplete: float = 0.0
) -> Measured:
    return Measured(response_s=response_s, frames_per_s=frames_per_s, incomplete=incomplete)


def told(now: Measured | None) -> bool:
    """Return whether people are told that these are the figures now."""
    return noticeable(STATUS, STATUS.model_copy(update={"measured": rounded(now)}))


@given(st.floats(0.037, 0.043), st.floats(18.6, 21.4))
def test_figures_that_wobble_are_not_told_every_second(
    response_s: float, frames_per_s: float
) -> None:
    assert not told(measured(response_s, frames_per_s))


def test_what_changes_noticeably_is_told() -> None:
    assert told(measured(response_s=0.05))
    assert told(measured(frames_per_s=15.0))
    assert told(measured(incomplete=0.004))
    assert told(None)
    assert noticeable(STATUS, STATUS.model_copy(update={"slow": {"pi": "is slow"}}))


def test_nothing_is_degraded_where_answers_are_complete_and_in_time() -> None:
    assert degraded(STATUS, measured(0.07), {}, "") == ""
    assert degraded(STATUS, None, {}, "") == ""


def test_every_trouble_has_its_words() -> None:
    words = degraded(STATUS, measured(0.3, incomplete=0.2), {"pi": "is gone"}, "")
    assert words == f"pi is gone; some answers lack a branch; {LATE_WORD}"


def test_words_do_not_come_and_go_at_a_limit() -> None:
    late, less = measured(0.101, incomplete=0.051), measured(0.09, incomplete=0.04)
    words = degraded(STATUS, late, {}, "")
    assert degraded(STATUS, less, {}, words) == words != ""
    assert degraded(STATUS, less, {}, "") == ""
