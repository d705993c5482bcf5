"""Placement by the shared genetic algorithm, each child refined by local search."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evolution.engine import GeneticAlgorithm, Individual, Settings
from evolution.placement.baselines import BASELINES
from evolution.placement.bound import lower_bound
from evolution.placement.cost_model import CostModel
from evolution.placement.exhaustive import best_plan, is_small
from evolution.placement.frame import response_seconds
from evolution.placement.local_search import refined
from evolution.placement.plan import Cost, Objective, Plan, PlanOperators
from evolution.placement.problem import PlacementProblem
from evolution.placement.room import packed

SETTINGS = Settings(population=4, p_m=1.0, q_m=0.05, p_c=0.6, q_c=0.4)


@dataclass(frozen=True, slots=True)
class PlacementResult:
    """Where every partition runs, and what that is predicted to reach.

    `priority` names the partitions whose priority is not their upward rank. `lower_bound_s` bounds
    the response time, or for throughput the seconds per frame of the busiest resource.
    """

    placement: dict[str, str]
    priority: dict[str, float]
    objective: Objective
    response_s: float
    frames_per_s: float
    lower_bound_s: float
    evaluations: int


def place(
    problem: PlacementProblem,
    objective: Objective = "response",
    seed: int = 0,
    budget: int | None = None,
) -> PlacementResult:
    """Return the best placement found with about `budget` evaluations of the cost model.

    The same problem, objective, seed and budget give the same placement. Problems of at most 4^8
    plans are enumerated after the search, beyond the budget, so their placement is the optimum over
    the devices. Raises ValueError for a wrong objective or budget, or when memory is too short.
    """
    if objective not in ("response", "throughput"):
        raise ValueError(f"objective: {objective!r} is neither 'response' nor 'throughput'.")
    if budget is not None and budget < 1:
        raise ValueError("budget: needs at least one evaluation.")
    model = CostModel(problem)
    packed(model)  # raises when memory is too short
    cost = Cost(model, objective)
    plan = _evolved(cost, seed, budget or default_budget(model))
    if is_small(model):
        plan = _enumerated(cost, plan, seed)
    return _result(cost, plan)


def default_budget(model: CostModel) -> int:
    """Return evaluations that take some tenths of a second for one or two dozen partitions.

    Above 55 partitions they become fewer, since each takes longer: the whole takes some seconds.
    """
    count = len(model.choices)
    return min(500 * count, 1_500_000 // count)


def distinct_survivors(
    parents: Sequence[Individual[Any]], children: Sequence[Individual[Any]], settings: Settings
) -> list[Individual[Any]]:
    """Keep the best of parents and children, one for each distinct cost."""
    best: dict[float, Individual[Any]] = {}
    for individual in [*parents, *children]:
        best.setdefault(individual.fitness, individual)
    ranked = sorted(best.values(), key=lambda individual: -individual.fitness)
    return ranked[: settings.population]


def _evolved(cost: Cost, seed: int, budget: int) -> Plan:
    """Run the genetic algorithm until the budget is spent."""
    model = cost.model
    algorithm = GeneticAlgorithm(
        PlanOperators(model),
        SETTINGS,
        seed,
        first=[Plan(tuple(way(model)), tuple(model.rank)) for way in BASELINES.values()],
        survival=distinct_survivors,
    )
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    steps = max(20, 6 * len(model.choices))
    while cost.evaluations < budget:
        children: list[Plan] = []
        fitness: list[float] = []
        for plan in algorithm.ask():
            left = max(0, budget - cost.evaluations - 1)
            child, value = refined(plan, cost, min(steps, left), rng)
            children.append(child)
            fitness.append(-value)
        algorithm.tell(fitness, children)
    return algorithm.best.genome


def _enumerated(cost: Cost, plan: Plan, seed: int) -> Plan:
    """Return the optimum over the devices, with priorities searched once more, or `plan`."""
    known = cost(plan.device, plan.priority)
    better = best_plan(cost, known)
    if better is None:
        return plan
    rng = np.random.Generator(np.random.PCG64([seed, 2]))
    return refined(better[0], cost, 10 * len(plan.device), rng)[0]


def _result(cost: Cost, plan: Plan) -> PlacementResult:
    """Say in ids what a plan is; priorities that make no difference are left at the rank."""
    model = cost.model
    response = response_seconds(model, plan.device, plan.priority)
    priority = plan.priority
    if response_seconds(model, plan.device, model.rank) <= response:
        priority, response = tuple(model.rank), response_seconds(model, plan.device, model.rank)
    busiest = model.busiest(plan.device)
    names = model.partition_ids
    return PlacementResult(
        placement={names[p]: model.device_ids[d] for p, d in enumerate(plan.device)},
        priority={names[p]: v for p, v in enumerate(priority) if v != model.rank[p]},
        objective=cost.objective,
        response_s=response,
        frames_per_s=1 / busiest if busiest else math.inf,
        lower_bound_s=lower_bound(model, cost.objective),
        evaluations=cost.evaluations,
    )
