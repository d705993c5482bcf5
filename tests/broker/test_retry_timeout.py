"""When to try again, as RFC 6298 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.retry_timeout import RetryTimeout

FIRST_S, LEAST_S, MOST_S = 2.0, 0.3, 8.0


def test_a_timeout_follows_what_answers_take() -> None:
    timeout = RetryTimeout(FIRST_S, LEAST_S, MOST_S)
    for _ in range(50):
        timeout.answered(1.0)
    assert timeout.seconds == pytest.approx(1.0, rel=0.01)
    for _ in range(50):
        timeout.answered(0.001)
    assert timeout.seconds == LEAST_S


def test_it_doubles_until_an_answer_comes() -> None:
    timeout = RetryTimeout(FIRST_S, LEAST_S, MOST_S)
    timeout.answered(0.1)
    before = timeout.seconds
    timeout.expired()
    timeout.expired()
    assert timeout.seconds == pytest.approx(4 * before)
    timeout.answered(0.1)
    assert timeout.seconds <= before


@given(st.lists(st.floats(0.0, 100.0) | st.none(), max_size=50))
def test_it_keeps_its_bounds(answers: list[float | None]) -> None:
    timeout = RetryTimeout(FIRST_S, LEAST_S, MOST_S)
    for seconds in answers:
        if seconds is None:
            timeout.expired()
        else:
            timeout.answered(seconds)
        assert LEAST_S <= timeout.seconds <= MOST_S


def test_the_retry_time_follows_the_time_that_answers_take() -> None:
    retry = RetryTimeout(1.0, 1.0, 60.0)
    for _ in range(50):
        retry.answered(2.0)
    assert 2.0 < retry.seconds < 2.5
    retry.answered(6.0)
    assert retry.seconds > 6.0
    for _ in range(20):
        retry.expired()
    assert retry.seconds == 60.0
    retry.answered(2.0)
    assert retry.seconds < 60.0
