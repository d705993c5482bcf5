"""The optimum over all devices of a small problem, with the upward rank as priority."""

# Compiled functions get all their arrays from outside.
# ruff: noqa: PLR0917

from math import prod

import numpy as np

from evolution.placement.arrays import BEYOND, Arrays, Bench, Floats, Ints, Weights
from evolution.placement.compiled import compiled
from evolution.placement.cost_model import CostModel
from evolution.placement.local_search import LocalSearch
from evolution.placement.plan import Plan
from evolution.placement.refinement import cost

LARGEST = 4**8  # plans: 8 partitions on 4 devices


def is_small(model: CostModel) -> bool:
    """Tell whether the problem has few enough plans to look at all of them."""
    return prod(len(choices) for choices in model.choices) <= LARGEST


def best_plan(search: LocalSearch, model: CostModel, known: float) -> Plan | None:
    """Return the best of all plans that keep the rules, or None when none costs below `known`."""
    rank = np.array(model.rank)
    found = np.full(len(rank), -1)
    device = np.array([choices[0] for choices in model.choices])
    weights = search.goal.weights
    enumerate_plans(search.arrays, search.bench, device, rank, weights, known, found)
    return Plan(tuple(found.tolist()), tuple(model.rank)) if found[0] >= 0 else None


@compiled
def enumerate_plans(
    a: Arrays, b: Bench, device: Ints, priority: Floats, weights: Weights, known: float, found: Ints
) -> float:
    """Count through all plans, the first partition fastest; return the least cost.

    Those beyond memory or the energy budget do not count. `found` takes the first plan of that
    cost, and is left alone when none costs below `known`.
    """
    at = b.seen  # which of its choices each partition has
    for p in range(len(device)):
        at[p] = 0
        device[p] = a.choice[a.first_choice[p]]
    best = known
    p = 0
    while p < len(device):
        if _fits(a, b, device):
            value = cost(a, b, device, priority, weights, best)
            if value < best and b.counts[BEYOND] == 0:
                best = value
                for q in range(len(device)):
                    found[q] = device[q]
        p = 0
        while p < len(device):
            at[p] += 1
            if a.first_choice[p] + at[p] < a.first_choice[p + 1]:
                device[p] = a.choice[a.first_choice[p] + at[p]]
                break
            at[p] = 0
            device[p] = a.choice[a.first_choice[p]]
            p += 1
    return best


@compiled
def _fits(a: Arrays, b: Bench, device: Ints) -> bool:
    """Tell whether a plan keeps to memory."""
    for d in range(len(a.capacity)):
        b.room[d] = a.capacity[d]
    for p in range(len(device)):
        b.room[device[p]] -= a.memory[p, device[p]]
    least = 0.0
    for d in range(len(a.capacity)):
        least = min(least, b.room[d])
    return least >= 0
