"""What 95 % of the frames keep to: several cameras, and others on the same processors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.placement.cost_model import CostModel
from evolution.placement.problem import Device, Partition, PlacementProblem
from evolution.placement.shared import Cameras, Neighbour, shared_p95_s
from evolution.placement.stream import Stream, evenly

MODEL = CostModel(
    PlacementProblem(
        (Device("x", 0, 1e9, 1e9, 0), Device("y", 0, 1e9, 1e9, 0)),
        (Partition("a", 0, {"x": 0.1, "y": 0.1}),),
    )
)


def p95(own: Cameras, *neighbours: Neighbour) -> float:
    """Return that of a partition of 0.1 s on x."""
    return shared_p95_s(MODEL, [0], MODEL.rank, own, neighbours)


@given(st.floats(0.5, 30.0))
@settings(max_examples=20)
def test_one_camera_alone_is_a_stream_of_evenly_spaced_frames(rate: float) -> None:
    even = Stream(MODEL, evenly(rate, 200)).p95_s([0], MODEL.rank)
    assert p95(Cameras(rate)) == pytest.approx(even)


def test_frames_of_two_cameras_fall_together_now_and_then() -> None:
    # Each comes every 0.5 s. A frame waits if the other's came in the 0.1 s before: for one in five,
    # up to 0.1 s. So one in twenty waits for more than 0.075 s.
    assert p95(Cameras(4.0)) == pytest.approx(0.1)
    assert p95(Cameras(4.0, 2)) == pytest.approx(0.175, rel=0.1)


def test_a_run_of_a_neighbour_is_waited_for_and_one_elsewhere_is_not() -> None:
    camera = Cameras(2.0)
    beside = Neighbour(camera, (("x", 0.2),))
    # Two in five frames wait, up to 0.2 s; one in twenty for more than 0.175 s.
    assert p95(camera, beside) == pytest.approx(0.275, rel=0.1)
    assert p95(camera, Neighbour(camera, (("y", 0.2), ("gone", 0.2)))) == p95(camera)


@pytest.mark.parametrize("own", [Cameras(0.01), Cameras(1000.0, 64)])
def test_rates_far_apart_end_soon_all_the_same(own: Cameras) -> None:
    assert p95(own, Neighbour(Cameras(3000.0, 64), (("x", 1e-6),))) >= 0.1


@pytest.mark.parametrize(("rate", "count"), [(0.0, 1), (float("inf"), 1), (1.0, 0)])
def test_cameras_send_something(rate: float, count: int) -> None:
    with pytest.raises(ValueError, match=r"rate|cameras"):
        Cameras(rate, count)
