"""The camera's window and timeout, as TCP Vegas and RFC 6298 have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.window import TIMEOUT_LEAST_S, TIMEOUT_MOST_S, Timeout, Window


def test_a_timeout_follows_what_answers_take() -> None:
    timeout = Timeout()
    for _ in range(50):
        timeout.answered(1.0)
    assert timeout.seconds == pytest.approx(1.0, rel=0.01)
    for _ in range(50):
        timeout.answered(0.001)
    assert timeout.seconds == TIMEOUT_LEAST_S


def test_it_doubles_until_an_answer_comes() -> None:
    timeout = Timeout()
    timeout.answered(0.1)
    before = timeout.seconds
    timeout.expired()
    timeout.expired()
    assert timeout.seconds == pytest.approx(4 * before)
    timeout.answered(0.1)
    assert timeout.seconds <= before


@given(st.lists(st.floats(0.0, 100.0) | st.none(), max_size=50))
def test_it_keeps_its_bounds(answers: list[float | None]) -> None:
    timeout = Timeout()
    for seconds in answers:
        if seconds is None:
            timeout.expired()
        else:
            timeout.answered(seconds)
        assert TIMEOUT_LEAST_S <= timeout.seconds <= TIMEOUT_MOST_S


@given(
    st.integers(1, 4),
    st.integers(4, 40),
    st.lists(st.tuples(st.floats(0.0, 10.0), st.booleans(), st.booleans()), max_size=80),
)
def test_the_window_keeps_its_bounds(
    least: int, most: int, answers: list[tuple[float, bool, bool]]
) -> None:
    window, now = Window(least, most), 0.0
    for seconds, full, lost in answers:
        now += 0.5
        if lost:
            window.expired(1.0, now)
        else:
            window.answered(seconds, now, full=full)
        assert least <= window.size <= most


def test_a_camera_that_is_not_held_back_learns_nothing_of_the_fog() -> None:
    window = Window(1, 32)
    before = window.size
    for step in range(100):
        window.answered(0.1 * step, float(step), full=False)
    assert window.size == before


def test_it_grows_while_nothing_queues_and_shrinks_while_much_does() -> None:
    window = Window(1, 32)
    for step in range(100):
        window.answered(0.1, step / 100, full=True)
    grown = window.size
    assert grown > 8
    for step in range(200):
        window.answered(1.0, 1 + step / 100, full=True)
    assert window.size < grown


def test_what_is_lost_together_halves_it_once() -> None:
    window = Window(1, 32)
    for step in range(100):
        window.answered(0.1, step / 100, full=True)
    before = window.size
    assert [window.expired(1.0, 2.0 + step / 100) for step in range(5)] == [True] + 4 * [False]
    assert window.size == before // 2
