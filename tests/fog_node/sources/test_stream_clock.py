"""A stream that is read too slowly is found out by its own time stamps."""

import pytest

from fog_node.sources.stream_clock import StreamClock


def test_a_stream_that_keeps_up_has_no_age() -> None:
    clock = StreamClock()
    ages = [clock.age(frame * 0.04, 1000.0 + frame * 0.04) for frame in range(1, 100)]
    assert max(ages) == pytest.approx(0.0, abs=1e-6)


def test_what_comes_ever_later_is_ever_older() -> None:
    """Twenty of 25 pictures a second are read: a fifth of a second behind every second."""
    clock = StreamClock()
    ages = [clock.age(frame / 25, 1000.0 + frame / 20) for frame in range(1, 200)]
    assert ages[-1] == pytest.approx(200 * (1 / 20 - 1 / 25), rel=0.1)


def test_a_burst_after_a_pause_is_as_old_as_it_is() -> None:
    clock = StreamClock()
    for frame in range(1, 26):
        clock.age(frame / 25, 1000.0 + frame / 25)
    ages = [clock.age(frame / 25, 1005.0 + frame / 1000) for frame in range(26, 101)]
    assert ages[0] == pytest.approx(4.0, abs=0.1)
    assert ages[-1] == pytest.approx(1.0, abs=0.1)


def test_clocks_may_drift() -> None:
    clock = StreamClock()
    ages = [clock.age(second * 0.999, 1000.0 + second) for second in range(1, 3600)]
    assert max(ages) < 0.1


@pytest.mark.parametrize("stamps", [[0.0] * 50, [50.0, 0.04, 0.08], [1.0, 1.04, 5000.0, 5000.04]])
def test_a_stream_without_a_clock_or_one_that_begins_again_is_new(stamps: list[float]) -> None:
    clock = StreamClock()
    ages = [clock.age(stamp, 1000.0 + at * 0.04) for at, stamp in enumerate(stamps)]
    assert max(ages) < 0.1
