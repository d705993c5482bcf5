"""The strategies of placement: each keeps the rules, none beats the bound, the search is best."""

from dataclasses import replace
from itertools import product
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evolution.placement import genetic
from evolution.placement.baselines import BASELINES, at_random
from evolution.placement.bound import lower_bound
from evolution.placement.cost_model import CostModel
from evolution.placement.forecast import forecast
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import Effort, PlacementResult, place
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor
from evolution.placement.room import fitting, packed, repaired
from evolution.placement.stream import Stream, evenly
from tests.evolution.strategies import problems, rngs

Objective = Literal["response", "throughput"]
OBJECTIVES: tuple[Objective, ...] = ("response", "throughput")


def plans_that_fit(model: CostModel) -> list[tuple[int, ...]]:
    return [plan for plan in product(*model.choices) if min(model.room(plan)) >= 0]


def seconds(result: PlacementResult) -> float:
    return result.response_s if result.objective == "response" else 1 / result.frames_per_s


def best_by_force(model: CostModel, objective: Objective) -> float:
    if objective == "throughput":
        return min(model.busiest(plan) for plan in plans_that_fit(model))
    return min(response_seconds(model, plan, model.rank) for plan in plans_that_fit(model))


def fleet(seed: int, partitions: int, devices: int) -> PlacementProblem:
    """Uneven devices, and partitions that each take some of the earlier outputs."""
    rng = np.random.default_rng(seed)
    names = [f"fog-{d}" for d in range(devices)]
    speed = rng.uniform(0.5, 2.0, devices)
    links = rng.uniform(1e6, 1e7, (devices, 2))
    work = rng.uniform(0.005, 0.05, partitions)
    return PlacementProblem(
        devices=tuple(
            Device(n, 300, float(links[d, 0]), float(links[d, 1]), 0.002)
            for d, n in enumerate(names)
        ),
        partitions=tuple(
            Partition(f"p{p}", 60, {n: float(work[p] / speed[d]) for d, n in enumerate(names)})
            for p in range(partitions)
        ),
        tensors=tuple(
            Tensor(f"t{p}", int(rng.integers(1_000, 100_000)), f"p{p}", consumers)
            for p in range(partitions - 1)
            if (consumers := tuple({f"p{int(c)}": 0 for c in rng.integers(p + 1, partitions, 2)}))
        ),
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
@given(problem=problems(most_partitions=5, most_devices=3))
@settings(max_examples=60)
def test_small_problems_are_solved(problem: PlacementProblem, objective: Objective) -> None:
    model = CostModel(problem)
    assume(plans_that_fit(model))
    result = place(problem, objective, budget=60)
    # exchanged priorities may even beat the best over devices alone
    assert seconds(result) <= best_by_force(model, objective) * (1 + 1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(2))
def test_eight_partitions_on_four_devices_are_solved(seed: int, objective: Objective) -> None:
    problem = fleet(seed, 7, 4)
    best = best_by_force(CostModel(problem), objective)
    assert seconds(place(problem, objective, budget=200)) <= best * (1 + 1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
@given(problem=problems(), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_what_is_promised_is_what_the_cost_model_says(
    problem: PlacementProblem, seed: int, objective: Objective
) -> None:
    try:
        result = place(problem, objective, seed, budget=40)
    except ValueError:
        assume(False)
    said = forecast(problem, result.placement, result.priority)  # refuses what breaks the rules
    assert (said.response_s, said.frames_per_s) == (result.response_s, result.frames_per_s)
    assert result.lower_bound_s <= seconds(result) * (1 + 1e-9)


@given(problems(most_partitions=5, most_devices=3))
@settings(max_examples=60)
def test_no_placement_beats_the_bounds(problem: PlacementProblem) -> None:
    model = CostModel(problem)
    for plan in product(*model.choices):
        response = response_seconds(model, plan, model.rank)
        assert lower_bound(model, "response") <= response * (1 + 1e-9)
        assert lower_bound(model, "throughput") <= model.busiest(plan) * (1 + 1e-9)


@pytest.mark.parametrize("name", [*BASELINES, "random"])
@given(problem=problems(), rng=rngs)
@settings(max_examples=40)
def test_baselines_keep_the_rules(
    problem: PlacementProblem, rng: np.random.Generator, name: str
) -> None:
    model = CostModel(problem)
    try:
        packed(model)
    except ValueError:
        assume(False)
    plan = at_random(model, rng) if name == "random" else BASELINES[name](model)
    assert all(d in choices for d, choices in zip(plan, model.choices, strict=True))
    assert min(model.room(plan)) >= 0


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_search_is_at_least_as_good_as_every_baseline(objective: Objective) -> None:
    problem = fleet(5, 14, 5)
    model = CostModel(problem)
    found = seconds(place(problem, objective, budget=600))
    for baseline in BASELINES.values():
        plan = baseline(model)
        response = response_seconds(model, plan, model.rank)
        assert found <= (response if objective == "response" else model.busiest(plan))


def test_large_problems_are_annealed_first_and_no_worse_than_heft() -> None:
    problem = fleet(6, 40, 9)
    model = CostModel(problem)
    assert Effort.on(model).annealed > Effort.on(CostModel(fleet(6, 24, 8))).annealed
    result = place(problem, budget=5000)
    plan = BASELINES["heft"](model)
    assert result.response_s < response_seconds(model, plan, model.rank)
    assert result == place(problem, budget=5000)
    assert min(model.room([model.device_ids.index(d) for d in result.placement.values()])) >= 0


def test_the_best_device_takes_all_that_fits() -> None:
    problem = fleet(0, 5, 3)
    plan = BASELINES["best_device"](CostModel(problem))
    total = [sum(p.seconds[d.id] for p in problem.partitions) for d in problem.devices]
    assert plan == [total.index(min(total))] * 5


def test_same_seed_same_placement() -> None:
    problem = fleet(2, 12, 5)
    assert place(problem, seed=4, budget=400) == place(problem, seed=4, budget=400)


def test_evaluations_keep_to_the_budget() -> None:
    result = place(fleet(2, 12, 5), budget=400)
    assert 200 <= result.evaluations < 440


def test_an_urgent_partition_gets_a_priority_of_its_own() -> None:
    """The rank counts the mean of both devices, so it sends the long way first; y is pinned."""
    problem = PlacementProblem(
        devices=tuple(Device(d, 100, 1.0, 1.0, 0.0) for d in ("x", "y")),
        partitions=(
            Partition("first", 0, {"x": 1.0}),
            Partition("second", 0, {"x": 1.0}),
            Partition("after first", 0, {"x": 1.0, "y": 9.0}),
            Partition("after second", 0, {"y": 3.0}),
        ),
        tensors=(
            Tensor("near", 1, "first", ("after first",)),
            Tensor("far", 1, "second", ("after second",)),
        ),
    )
    result = place(problem)
    assert result.response_s == 6.0  # second 1, two transfers 2, after second 3
    assert result.priority["second"] > result.priority.get("first", 0.0)


@given(problems())
def test_packing_finds_room_whenever_there_is_some(problem: PlacementProblem) -> None:
    model = CostModel(problem)
    fitting = any(min(model.room(plan)) >= 0 for plan in product(*model.choices))
    if fitting:
        plan = packed(model)
        assert min(model.room(plan)) >= 0
        assert repaired(model, plan) == plan
    else:
        with pytest.raises(ValueError, match="bytes are missing"):
            packed(model)


def tight(seed: int) -> PlacementProblem:
    """Nearly all memory is needed: a random packing, and at most 8 % more on each device."""
    problem = fleet(seed, 7, 4)
    rng = np.random.default_rng(seed)
    sizes = rng.integers(20, 90, 7)
    room = np.bincount(np.arange(7) % 4, sizes) * rng.uniform(1.0, 1.08, 4)
    return replace(
        problem,
        devices=tuple(
            replace(d, memory_bytes=float(r)) for d, r in zip(problem.devices, room, strict=True)
        ),
        partitions=tuple(
            replace(p, memory_bytes=int(s)) for p, s in zip(problem.partitions, sizes, strict=True)
        ),
    )


def test_tight_memory_hides_hardly_anything_from_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without enumeration; few plans fit, and the walk has to pass others to come from one to the next."""
    monkeypatch.setattr(genetic, "is_small", lambda _: False)
    over = [
        place(problem).response_s / best_by_force(CostModel(problem), "response")
        for problem in map(tight, range(8))
    ]
    assert np.mean(over) <= 1.01
    assert np.median(over) <= 1


@given(problems(most_devices=3), rngs)
def test_a_plan_that_does_not_fit_is_packed_near_where_it_was(
    problem: PlacementProblem, rng: np.random.Generator
) -> None:
    model = CostModel(problem)
    fitting_plans = plans_that_fit(model)
    assume(fitting_plans)
    there = fitting_plans[int(rng.integers(len(fitting_plans)))]
    assert packed(model, there) == list(there)
    anywhere = [choices[int(rng.integers(len(choices)))] for choices in model.choices]
    assert min(model.room(fitting(model, anywhere))) >= 0


def test_memory_too_short_for_all_says_what_does_not_fit_and_what_is_missing() -> None:
    sizes = {"a": 70, "b": 60, "c": 50}
    problem = PlacementProblem(
        tuple(Device(d, 100, 1.0, 1.0, 0.0) for d in ("x", "y")),
        tuple(Partition(n, size, {"x": 1.0, "y": 1.0}) for n, size in sizes.items()),
    )
    with pytest.raises(ValueError, match=r"\Apartitions\.c\.memory_bytes: .* 10 bytes are missing"):
        place(problem)


def test_a_rate_is_kept_up_with_and_decides_by_the_p95() -> None:
    problem = fleet(3, 14, 5)
    alone = place(problem, budget=4000)
    fast = place(problem, "throughput", budget=4000)
    rate = (alone.frames_per_s + fast.frames_per_s) / 2
    loaded = place(problem, budget=4000, rate=rate)
    assert loaded.frames_per_s >= rate
    assert loaded.p95_s is not None
    model = CostModel(problem)
    for other in (alone, fast):
        device = [model.device_ids.index(d) for d in other.placement.values()]
        ranks = zip(model.partition_ids, model.rank, strict=True)
        priority = [other.priority.get(p, rank) for p, rank in ranks]
        assert loaded.p95_s <= Stream(model, evenly(rate)).p95_s(device, priority)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="objective: 'speed'"):
        place(fleet(0, 2, 2), "speed")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="budget"):
        place(fleet(0, 2, 2), budget=0)
    with pytest.raises(ValueError, match="rate: nan"):
        place(fleet(0, 2, 2), rate=float("nan"))
