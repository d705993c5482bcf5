"""Numbers that others declare, sessions and epochs, and what the largest of them can do: nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.epoch_order import WINDOW, epoch_after, is_later
from broker.payload import MessageError
from broker.ranges import MOST_COUNT
from broker.sessions import (
    AHEAD_S,
    PER_SECOND,
    check_session,
    newest_session,
    next_session,
    session_at,
)

NOW = 1.8e9
epochs = st.integers(0, MOST_COUNT)


def test_a_session_from_more_than_a_day_ahead_is_refused() -> None:
    newest = newest_session(NOW)
    check_session(session_at(NOW + AHEAD_S), newest)
    check_session(0, newest)
    with pytest.raises(MessageError, match="session: 48 hours ahead of this clock"):
        check_session(session_at(NOW + 2 * AHEAD_S), newest)


def test_a_clock_that_was_never_set_refuses_nobody() -> None:
    check_session(session_at(NOW), newest_session(12.0))


@given(st.integers(0, MOST_COUNT), st.floats(0, 1e10))
def test_every_start_is_later_than_the_last_unless_that_was_in_the_far_future(
    last: int, unix_s: float
) -> None:
    session = next_session(last, unix_s)
    assert session > last or last > newest_session(unix_s) or last == MOST_COUNT
    assert session <= max(session_at(unix_s), last + PER_SECOND)


@given(epochs)
def test_the_next_epoch_is_later_but_for_the_largest_which_makes_nothing_old(epoch: int) -> None:
    following = epoch_after(epoch)
    assert 1 <= following <= MOST_COUNT
    assert is_later(following, epoch) == (epoch < MOST_COUNT)
    assert not is_later(epoch, following)


@given(epochs, epochs)
def test_of_two_epochs_at_most_one_is_later_and_none_that_is_too_far_ahead(a: int, b: int) -> None:
    assert not (is_later(a, b) and is_later(b, a))
    assert not is_later(min(MOST_COUNT, b + WINDOW + 1), b) or b + WINDOW + 1 > MOST_COUNT
