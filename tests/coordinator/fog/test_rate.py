from hypothesis import given
from hypothesis import strategies as st

from coordinator.fog.rate import HEADROOM, IDLE_S, STEP, Rate


def after(*samples: float, of: Rate | None = None, start: float = 0.0) -> Rate:
    """Return a rate that was told one sample a second."""
    rate = of or Rate()
    for second, sample in enumerate(samples):
        rate.sample(sample, start + second)
    return rate


def test_there_is_none_before_there_were_frames() -> None:
    assert after(0.0, 0.0).to_place_for is None


def test_it_has_headroom_over_what_is_served() -> None:
    rate = after(*[20.0] * 10)
    assert rate.served == 20.0
    assert rate.to_place_for == HEADROOM * 20.0


def test_it_follows_when_more_is_served() -> None:
    assert after(*[10.0] * 60, *[20.0] * 8).served == 20.0


def test_it_stays_what_it_was_for_a_night_and_is_forgotten_then() -> None:
    rate = after(*[20.0] * 10)
    assert after(*[0.0] * 120, of=rate, start=10.0).served == 20.0
    rate.sample(0.0, 10.0 + IDLE_S)
    assert rate.served is None


@given(
    st.floats(1.0, 100.0),
    st.lists(st.floats(1.0, STEP - 0.01), min_size=1, max_size=100),
)
def test_what_changes_a_little_changes_nothing(base: float, wiggles: list[float]) -> None:
    rate = after(base)
    known = rate.served
    assert after(*[base * wiggle for wiggle in wiggles], of=rate, start=1.0).served == known
