"""A stream that is read too slowly is found out by its own time stamps."""

import pytest

from fog_node.sources.stream_clock import StreamClock


def ages_of(clock: StreamClock, *pictures: tuple[float, float]) -> list[float]:
    """Return the ages of pictures with these stamps, that came then, without those of nobody knows what age."""
    ages = [clock.age(stamp, now) for stamp, now in pictures]
    return [age for age in ages if age is not None]


def test_a_stream_that_keeps_up_has_no_age() -> None:
    ages = ages_of(StreamClock(), *((at * 0.04, 1000.0 + at * 0.04) for at in range(1, 100)))
    assert len(ages) == 98
    assert max(ages) == pytest.approx(0.0, abs=1e-6)


def test_what_comes_ever_later_is_ever_older() -> None:
    """Twenty of 25 pictures a second are read: a fifth of a second behind every second."""
    ages = ages_of(StreamClock(), *((frame / 25, 1000.0 + frame / 20) for frame in range(1, 200)))
    assert ages[-1] == pytest.approx(200 * (1 / 20 - 1 / 25), rel=0.1)


def test_a_burst_after_a_pause_is_as_old_as_it_is() -> None:
    clock = StreamClock()
    ages_of(clock, *((frame / 25, 1000.0 + frame / 25) for frame in range(1, 26)))
    ages = ages_of(clock, *((frame / 25, 1005.0 + frame / 1000) for frame in range(26, 101)))
    assert ages[0] == pytest.approx(4.0, abs=0.1)
    assert ages[-1] == pytest.approx(1.0, abs=0.1)


def test_clocks_may_drift() -> None:
    ages = ages_of(StreamClock(), *((at * 0.999, 1000.0 + at) for at in range(1, 3600)))
    assert max(ages) < 0.1


@pytest.mark.parametrize("stamps", [[0.0] * 50, [50.0, 0.04, 0.08], [1.0, 1.04, 5000.0, 5000.04]])
def test_a_stream_without_a_clock_or_one_that_begins_again_is_new(stamps: list[float]) -> None:
    ages = ages_of(StreamClock(), *((each, 1000.0 + at * 0.04) for at, each in enumerate(stamps)))
    assert max(ages) < 0.1


def test_what_was_kept_while_the_stream_was_opened_is_passed_over() -> None:
    """A second of pictures comes at once, and then one after the other."""
    kept = [(frame / 25, 1001.0 + frame / 1000) for frame in range(1, 26)]
    live = [(frame / 25, 1000.0 + frame / 25) for frame in range(27, 60)]
    clock = StreamClock()
    assert ages_of(clock, *kept) == []
    ages = ages_of(clock, *live)
    assert len(ages) == len(live)
    assert max(ages) == pytest.approx(0.0, abs=1e-6)
