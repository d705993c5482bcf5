"""The camera's window, as TCP Vegas has it."""

from hypothesis import given
from hypothesis import strategies as st

from fog_node.camera.window import Window


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
