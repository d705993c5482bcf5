"""What counts as growth."""

import numpy as np
import pytest

from benchmarks.slopes import slope_of

SECONDS = np.arange(0.0, 1800.0, 5.0)


def test_a_line_is_its_own_slope() -> None:
    found = slope_of(SECONDS, 100.0 + SECONDS)
    assert found.per_hour == pytest.approx(3600.0)
    assert found.low == pytest.approx(found.high)
    assert found.grows(1000.0)
    assert not found.grows(2000.0)


def test_noise_that_goes_nowhere_does_not_grow() -> None:
    noise = np.random.default_rng(1).normal(100.0, 5.0, len(SECONDS))
    found = slope_of(SECONDS, noise)
    assert found.low < 0.0 < found.high
    assert not found.grows(0.0)


def test_a_small_leak_shows_through_the_noise() -> None:
    noise = np.random.default_rng(2).normal(0.0, 5.0, len(SECONDS))
    found = slope_of(SECONDS, 100.0 + 0.02 * SECONDS + noise)
    assert found.low < 72.0 < found.high
    assert found.grows(1.0)


def test_a_handful_of_samples_tells_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        slope_of([0.0, 1.0], [1.0, 2.0])
