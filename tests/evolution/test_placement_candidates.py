"""Of many devices a search looks at a few dozen: which, and that hardly anything is lost by it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evolution.placement.candidates import narrowed, roomiest
from evolution.placement.genetic import place
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor
from tests.evolution.strategies import problems


def crowd(devices: int, partitions: int = 5) -> PlacementProblem:
    """Devices tenfold apart in speed and links, a chain of partitions, and a camera that is pinned."""
    rng = np.random.default_rng(devices)
    names = [f"fog-{d}" for d in range(devices)]
    speed = rng.uniform(1, 10, devices)
    link = 10.0 ** rng.uniform(5, 7, (devices, 2))
    return PlacementProblem(
        (
            *(
                Device(n, float(100 + d), float(link[d, 0]), float(link[d, 1]), 0.001)
                for d, n in enumerate(names)
            ),
            Device("camera", 0, 1e6, 1e6, 0.001),
        ),
        (
            Partition("frame", 0, {"camera": 0.0}),
            *(
                Partition(f"p{p}", 60, {n: float(0.1 / speed[d]) for d, n in enumerate(names)})
                for p in range(partitions)
            ),
        ),
        tuple(
            Tensor(f"t{p}", 20_000, f"p{p - 1}" if p else "frame", (f"p{p}",))
            for p in range(partitions)
        ),
        pinned={"frame": "camera"},
    )


@given(problems(), st.integers(1, 3))
def test_few_devices_are_left_as_they_are_and_many_are_some_of_them(
    problem: PlacementProblem, most: int
) -> None:
    for few in (narrowed(problem, most), roomiest(problem, most)):
        kept = [device for device in problem.devices if device in few.devices]
        assert few.devices == tuple(kept)
        assert {d for p in few.partitions for d in p.seconds} <= {d.id for d in kept}
        assert (few.tensors, few.pinned) == (problem.tensors, problem.pinned)
    assert narrowed(problem) is problem


def test_a_hundred_devices_become_the_most_that_are_looked_at_and_the_pinned_one() -> None:
    few = narrowed(crowd(100), 20)
    assert len(few.devices) == 21
    assert few == narrowed(crowd(100), 20)
    assert few.pinned == {"frame": "camera"}
    fastest = min(crowd(100).partitions[1].seconds.items(), key=lambda item: item[1])[0]
    assert fastest in {device.id for device in few.devices}


def test_there_are_always_twice_as_many_devices_as_partitions() -> None:
    assert len(narrowed(crowd(100, partitions=30), 4).devices) == 2 * 31 + 1  # and the camera's


def test_what_is_left_out_costs_hardly_anything() -> None:
    few, all_of_them = (
        place(problem, budget=40_000).response_s for problem in (narrowed(crowd(200)), crowd(200))
    )
    assert few <= 1.01 * all_of_them


def test_the_roomiest_devices_take_what_only_they_can() -> None:
    problem = crowd(100)
    large = PlacementProblem(
        problem.devices, (Partition("large", 199, {f"fog-{d}": 1.0 for d in range(100)}),)
    )
    assert [device.id for device in roomiest(large, 1).devices] == ["fog-98", "fog-99"]
    assert place(roomiest(large, 1), budget=1).placement == {"large": "fog-99"}
