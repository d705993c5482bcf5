"""Placement by the shared genetic algorithm, each child refined by local search."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from evolution.engine import GeneticAlgorithm, Individual, Settings
from evolution.placement.baselines import BASELINES, heft
from evolution.placement.bound import lower_bound
from evolution.placement.cost_model import CostModel
from evolution.placement.exhaustive import best_plan, is_small
from evolution.placement.frame import response_seconds
from evolution.placement.local_search import Goal, LocalSearch, Objective
from evolution.placement.plan import Plan, PlanOperators
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor
from evolution.placement.repair import Repair
from evolution.placement.stream import Stream, evenly
from evolution.placement.under_load import steadied

STEPS = 1000  # moves of local search for a child
HEAT = 0.01  # share of its cost by which annealing lets a plan get worse at first
DEARER = 5.0  # HEFT's response times that twice the energy budget costs in a walk
CROWDED = 1.0  # HEFT's response times that a partition of mean size costs where there is no room
MANY = 32  # partitions, above which a walk is worth more than children
TINY = 1e-12  # joules or bytes that stand for none


@dataclass(frozen=True, slots=True)
class Effort:
    """How the moves of local search are shared out.

    The algorithm is started anew as often as `start_moves` fit into the budget. In each start the
    first parent is HEFT's plan annealed with `annealed` of the moves; the rest goes to children,
    `steps` each. Measured (docs/placement.md): up to about thirty partitions many children find the
    optimum and annealing alone does not, and what one start misses another one finds; from sixty on
    a long walk is worth more than children.
    """

    settings: Settings
    annealed: float
    steps: int
    start_moves: float

    @classmethod
    def on(cls, model: CostModel) -> "Effort":
        """Return what suits the size of a problem."""
        count = len(model.choices)
        if count <= MANY:
            settings = Settings(population=16, p_m=1.0, q_m=0.03, p_c=0.8, q_c=1.0)
            return cls(settings, annealed=0.0, steps=STEPS, start_moves=12_000 * count)
        settings = Settings(population=2, p_m=1.0, q_m=0.003, p_c=0.8, q_c=1.0)
        return cls(settings, annealed=0.98, steps=STEPS, start_moves=math.inf)


@dataclass(frozen=True, slots=True)
class PlacementResult:
    """Where every partition runs, and what that is predicted to reach.

    `priority` names the partitions whose priority is not their upward rank. `lower_bound_s` bounds
    the response time, or for throughput the seconds per frame of the busiest resource. `p95_s` is
    the response time that 95 % of the frames keep to, where a rate was asked for; `energy_j` are
    the joules of a frame, where the problem has all the figures for it.
    """

    placement: dict[str, str]
    priority: dict[str, float]
    objective: Objective
    response_s: float
    frames_per_s: float
    lower_bound_s: float
    evaluations: int
    p95_s: float | None = None
    energy_j: float | None = None


def place(
    problem: PlacementProblem,
    objective: Objective = "response",
    seed: int = 0,
    budget: int | None = None,
    rate: float | None = None,
) -> PlacementResult:
    """Return the best placement found with about `budget` moves of local search.

    `rate` asks for the response time under a load of so many frames per second: the busiest resource
    keeps up with them, and of such plans the p95 decides; when none is found, the result comes as
    near as it can. The same arguments give the same placement. Problems of at most 4^8 plans are
    enumerated after the search, so their placement is the optimum over the devices (not of the
    p95). Raises ValueError for a wrong argument, or when memory or the energy budget is too short.
    """
    if rate is not None and not 0 < rate < math.inf:
        raise ValueError(f"rate: {rate} is not a number of frames per second.")
    if objective not in {"response", "throughput"}:
        raise ValueError(f"objective: {objective!r} is neither 'response' nor 'throughput'.")
    if budget is not None and budget < 1:
        raise ValueError("budget: needs at least one evaluation.")
    model = CostModel(problem)
    repair = Repair(model)
    search = LocalSearch(model, _goal(model, objective, rate))
    plans = _evolved(model, search, repair, seed, budget or default_budget(model))
    if is_small(model):
        plans.insert(0, _enumerated(model, search, plans[0], seed))
    if rate is None:
        return _result(model, search, objective, search.plainer(plans[0], model.rank))
    rng = np.random.Generator(np.random.PCG64([seed, 3]))
    plan, streams = steadied(model, plans, rate, repair, rng)
    found = _result(model, search, objective, plan)
    p95 = Stream(model, evenly(rate)).p95_s(plan.device, plan.priority)
    return replace(found, evaluations=found.evaluations + streams, p95_s=p95)


def default_budget(model: CostModel) -> int:
    """Return moves that take a second for two dozen partitions, under a minute for 1,000."""
    count = len(model.choices)
    if count <= MANY:
        return min(25_000 * count, 600_000)
    return min(25_000 * count, 400_000, 240_000_000 // count)


def brief_budget(model: CostModel) -> int:
    """Return moves that take a few seconds whatever the size: the same up to 200 partitions, then fewer."""
    return max(1, min(default_budget(model), 20_000_000_000 // len(model.choices) ** 2))


def warm_up() -> None:
    """Load the compiled code, or compile it when this machine never did (some seconds)."""
    devices = tuple(Device(name, 1, 1, 1, 0) for name in "xy")
    partitions = tuple(Partition(name, 0, {"x": 1, "y": 1}) for name in "ab")
    place(PlacementProblem(devices, partitions, (Tensor("t", 1, "a", ("b",)),)), budget=1)


def distinct_survivors(
    parents: Sequence[Individual[Any]], children: Sequence[Individual[Any]], settings: Settings
) -> list[Individual[Any]]:
    """Keep the best of parents and children, one for each distinct cost."""
    best: dict[float, Individual[Any]] = {}
    for individual in [*parents, *children]:
        best.setdefault(individual.fitness, individual)
    ranked = sorted(best.values(), key=lambda individual: -individual.fitness)
    return ranked[: settings.population]


def any_parents(
    fitness: Sequence[float], count: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Draw parents evenly: the survivors are the selection."""
    return rng.integers(len(fitness), size=count, dtype=np.intp)


def _goal(model: CostModel, objective: Objective, rate: float | None) -> Goal:
    """Return the goal; to leave energy or memory costs what suits the problem."""
    usual = response_seconds(model, heft(model), model.rank)
    budget = model.problem.energy_budget_j
    return Goal(
        objective,
        1 / rate if rate else math.inf,
        math.inf if budget is None else budget,
        per_joule=DEARER * usual / (budget or TINY),
        per_byte=CROWDED * usual / (math.fsum(model.needs) / len(model.needs) or TINY),
    )


def _evolved(
    model: CostModel, search: LocalSearch, repair: Repair, seed: int, budget: int
) -> list[Plan]:
    """Run the genetic algorithm until the budget is spent; return its survivors, the best first."""
    effort = Effort.on(model)
    starts = max(1, int(budget / effort.start_moves))
    found: list[Individual[Plan]] = []
    for start in range(starts):
        share = (start + 1) * budget // starts - start * budget // starts
        survivors = _started(model, search, repair, effort, seed=(seed, start), budget=share)
        found = distinct_survivors(found, survivors, effort.settings)
    return [individual.genome for individual in found]


def _started(
    model: CostModel,
    search: LocalSearch,
    repair: Repair,
    effort: Effort,
    *,
    seed: tuple[int, int],
    budget: int,
) -> list[Individual[Plan]]:
    """Run one start of the genetic algorithm; return its survivors, the best first."""
    rng = np.random.Generator(np.random.PCG64([*seed, 1]))
    first = [Plan(tuple(repair(way(model))), tuple(model.rank)) for way in BASELINES.values()]
    left = budget
    if effort.annealed > 0:
        walk = max(1, int(effort.annealed * budget))
        first[0], _ = search.refined(first[0], walk, HEAT, rng)
        left -= walk
    algorithm = GeneticAlgorithm(
        PlanOperators(model, repair),
        effort.settings,
        int(np.random.SeedSequence(seed).generate_state(1)[0]),
        first=first,
        selection=any_parents,
        survival=distinct_survivors,
    )
    while left > 0:
        children: list[Plan] = []
        fitness: list[float] = []
        for plan in algorithm.ask():
            steps = min(effort.steps, left)
            left -= steps
            child, value = search.refined(plan, steps, 0.0, rng)
            children.append(child)
            fitness.append(-value)
        algorithm.tell(fitness, children)
    return algorithm.population


def _enumerated(model: CostModel, search: LocalSearch, plan: Plan, seed: int) -> Plan:
    """Return the optimum over the devices, with priorities searched once more, or `plan`."""
    better = best_plan(search, model, search.cost(plan))
    if better is None:
        return plan
    rng = np.random.Generator(np.random.PCG64([seed, 2]))
    return search.refined(better, STEPS, 0.0, rng)[0]


def _result(
    model: CostModel, search: LocalSearch, objective: Objective, plan: Plan
) -> PlacementResult:
    """Say in ids what a plan is."""
    busiest = model.busiest(plan.device)
    names = model.partition_ids
    return PlacementResult(
        placement={names[p]: model.device_ids[d] for p, d in enumerate(plan.device)},
        priority={names[p]: v for p, v in enumerate(plan.priority) if v != model.rank[p]},
        objective=objective,
        response_s=response_seconds(model, plan.device, plan.priority),
        frames_per_s=1 / busiest if busiest else math.inf,
        lower_bound_s=lower_bound(model, objective),
        evaluations=search.evaluations,
        energy_j=model.energy(plan.device) if model.problem.counts_energy else None,
    )
