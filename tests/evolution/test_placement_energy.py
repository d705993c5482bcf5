"""The energy budget: joules are counted as the slow twin counts them, and no placement exceeds it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evolution.placement.arrays import arrays_of, bench_for
from evolution.placement.cost_model import CostModel
from evolution.placement.energy import energy, thrifty
from evolution.placement.forecast import forecast
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import place
from evolution.placement.local_search import Goal, LocalSearch
from evolution.placement.plan import PlanOperators
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor
from evolution.placement.repair import Repair
from tests.evolution.slow_frame import SlowFrame
from tests.evolution.strategies import plans, problems, rngs


@st.composite
def metered(
    draw: st.DrawFn, most_partitions: int = 5, most_devices: int = 3, *, memory: bool = True
) -> PlacementProblem:
    """Problems with joules in small numbers of exact sums."""
    problem = draw(problems(most_partitions, most_devices, memory=memory))
    price = st.integers(0, 8).map(lambda n: n / 8)
    return replace(
        problem,
        devices=tuple(
            replace(d, joules_per_mac=draw(price), joules_per_byte=draw(price))
            for d in problem.devices
        ),
        partitions=tuple(replace(p, macs=draw(st.integers(0, 9))) for p in problem.partitions),
    )


def plans_that_fit(model: CostModel) -> list[tuple[int, ...]]:
    return [plan for plan in product(*model.choices) if min(model.room(plan)) >= 0]


@given(metered(memory=False), st.data())
def test_joules_are_the_slow_twins(problem: PlacementProblem, data: st.DataObject) -> None:
    placement, _ = data.draw(plans(problem))
    model = CostModel(problem)
    device = [model.device_ids.index(placement[p]) for p in model.partition_ids]
    ranks = dict(zip(model.partition_ids, model.rank, strict=True))
    exact = SlowFrame(problem, placement, ranks).joules()
    assert model.energy(device) == exact
    assert energy(arrays_of(model), bench_for(arrays_of(model)), np.array(device)) == exact
    assert forecast(problem, placement).energy_j == exact


@given(metered(most_partitions=6, most_devices=4), rngs, st.floats(0, 1))
def test_saving_keeps_memory_and_stops_at_the_budget(
    problem: PlacementProblem, rng: np.random.Generator, share: float
) -> None:
    model = CostModel(problem)
    fitting = plans_that_fit(model)
    assume(fitting)
    start = fitting[int(rng.integers(len(fitting)))]
    device = np.array(start)
    budget = share * model.energy(start)
    spent = thrifty(arrays_of(model), bench_for(arrays_of(model)), device, budget)
    assert spent == model.energy(device.tolist()) <= model.energy(start)
    assert min(model.room(device.tolist())) >= 0
    if share == 1:
        assert device.tolist() == list(start)


@given(metered(), st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=60)
def test_a_budget_is_kept_and_the_best_within_it_found(
    problem: PlacementProblem, share: float, seed: int
) -> None:
    model = CostModel(problem)
    fitting = plans_that_fit(model)
    assume(fitting)
    joules = sorted(model.energy(plan) for plan in fitting)
    budget = joules[0] + share * (joules[-1] - joules[0])
    bounded = replace(problem, energy_budget_j=budget)
    found = place(bounded, seed=seed, budget=60)
    assert found.energy_j is not None
    assert found.energy_j <= budget
    assert forecast(bounded, found.placement, found.priority).energy_j == found.energy_j
    best = min(
        response_seconds(model, plan, model.rank)
        for plan in fitting
        if model.energy(plan) <= budget
    )
    assert found.response_s <= best * (1 + 1e-9)


@given(metered(), st.floats(0, 0.999))
@settings(max_examples=60)
def test_too_small_a_budget_is_answered_with_the_least_energy(
    problem: PlacementProblem, share: float
) -> None:
    model = CostModel(problem)
    fitting = plans_that_fit(model)
    assume(fitting)
    least = min(model.energy(plan) for plan in fitting)
    assume(least > 0)
    with pytest.raises(ValueError, match=r"\Aenergy_budget_j: .* too little") as raised:
        place(replace(problem, energy_budget_j=share * least), budget=60)
    assert str(raised.value) == (
        f"energy_budget_j: {share * least:g} J a frame is too little,"
        f" no placement needs less than {least:g} J."
    )


@given(metered(most_partitions=7, most_devices=4), rngs, st.integers(0, 99))
def test_plans_of_the_search_keep_the_budget(
    problem: PlacementProblem, rng: np.random.Generator, seed: int
) -> None:
    model = CostModel(problem)
    fitting = plans_that_fit(model)
    assume(fitting)
    joules = sorted(model.energy(plan) for plan in fitting)
    budget = joules[len(joules) // 8]
    model = CostModel(replace(problem, energy_budget_j=budget))
    operators = PlanOperators(model, Repair(model))
    first, second = operators.random(rng), operators.mutate(operators.random(rng), 0.5, rng)
    search = LocalSearch(model, Goal(budget_j=budget, per_joule=10.0, per_byte=0.1))
    walked, cost = search.refined(first, 40, 0.3, np.random.default_rng(seed))
    assert cost == search.cost(walked) <= search.cost(first)
    for plan in (first, second, walked, *operators.cross(first, second, 1.0, rng)):
        assert model.energy(plan.device) <= budget
        assert min(model.room(plan.device)) >= 0


def large() -> PlacementProblem:
    """The quick device costs ten times the joules of the slow one; more plans than are enumerated."""
    return PlacementProblem(
        devices=(
            Device("quick", 1e9, 1e6, 1e6, 0.001, joules_per_mac=1e-9, joules_per_byte=1e-7),
            Device("slow", 1e9, 1e6, 1e6, 0.001, joules_per_mac=1e-10, joules_per_byte=1e-7),
        ),
        partitions=tuple(
            Partition(f"p{p}", 0, {"quick": 0.01, "slow": 0.05}, macs=1e7) for p in range(40)
        ),
        tensors=tuple(Tensor(f"t{p}", 1e3, f"p{p}", (f"p{p + 1}",)) for p in range(0, 40, 2)),
    )


def test_less_energy_takes_longer() -> None:
    free = place(large(), budget=4000)
    assert free.energy_j is not None
    tight = place(replace(large(), energy_budget_j=free.energy_j / 2), budget=4000)
    assert tight.energy_j is not None
    assert tight.energy_j <= free.energy_j / 2
    assert tight.response_s > free.response_s


def test_what_cannot_be_enumerated_is_not_called_proven() -> None:
    with pytest.raises(ValueError, match=r"no placement found needs less than 0\.04 J"):
        place(replace(large(), energy_budget_j=0.039), budget=100)


def test_a_rate_and_throughput_keep_the_budget_too() -> None:
    problem = replace(large(), energy_budget_j=0.2)
    fast = place(problem, "throughput", budget=4000)
    loaded = place(problem, rate=0.8 * fast.frames_per_s, budget=4000)
    assert fast.energy_j is not None
    assert loaded.energy_j is not None
    assert max(fast.energy_j, loaded.energy_j) <= 0.2
    assert loaded.frames_per_s >= 0.8 * fast.frames_per_s


def test_without_all_figures_no_joules_are_told() -> None:
    problem = large()
    lacking = replace(
        problem, devices=(replace(problem.devices[0], joules_per_byte=None), problem.devices[1])
    )
    assert place(lacking, budget=10).energy_j is None
    assert forecast(lacking, {p.id: "slow" for p in problem.partitions}).energy_j is None


def test_a_placement_beyond_the_budget_is_refused() -> None:
    problem = replace(large(), energy_budget_j=0.2)
    with pytest.raises(ValueError, match=r"placement: needs 0\.4 J a frame, more than energy_bud"):
        forecast(problem, {p.id: "quick" for p in problem.partitions})
