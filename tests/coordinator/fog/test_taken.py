"""What other deployments take of a fog node, and what is left of it."""

import math

import pytest
from hypothesis import given

from coordinator.fog.taken import LEAST_LEFT, NOTHING, Taken
from evolution.placement.problem import Device
from tests.coordinator.fog.requests import takens

DEVICE = Device("fog-a", 1000, 100.0, 200.0, 0.01)


def test_half_a_processor_takes_twice_the_time_and_links_have_the_rest() -> None:
    taken = Taken(0.5, 25.0, 50.0, 300)
    assert taken.seconds(0.01) == 0.02
    assert taken.left(DEVICE) == Device("fog-a", 700, 75.0, 150.0, 0.01)


def test_what_is_used_up_keeps_a_little_so_that_there_is_a_solution_but_memory_does_not() -> None:
    taken = Taken(1.3, 1e9, 1e9, 2000)
    assert taken.seconds(0.01) == pytest.approx(0.01 / LEAST_LEFT)
    assert taken.left(DEVICE) == Device("fog-a", 0, 100 * LEAST_LEFT, 200 * LEAST_LEFT, 0.01)


@given(takens, takens)
def test_more_taken_never_leaves_more(one: Taken, other: Taken) -> None:
    before, after = one.left(DEVICE), (one + other).left(DEVICE)
    assert (one + other).seconds(1.0) >= one.seconds(1.0)
    assert after.memory_bytes <= before.memory_bytes
    assert after.uplink_bytes_per_s <= before.uplink_bytes_per_s
    assert after.downlink_bytes_per_s <= before.downlink_bytes_per_s


@given(takens)
def test_nothing_is_nothing(taken: Taken) -> None:
    assert taken + NOTHING == taken
    assert NOTHING.left(DEVICE) == DEVICE
    assert NOTHING.seconds(0.01) == 0.01


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_a_share_is_a_number(value: float) -> None:
    with pytest.raises(ValueError, match="processor"):
        Taken(value)
