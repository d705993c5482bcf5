"""How a plan that exceeds memory or the energy budget is put right."""

from collections.abc import Sequence

import numpy as np

from evolution.placement.arrays import arrays_of, bench_for
from evolution.placement.baselines import BASELINES
from evolution.placement.cost_model import CostModel
from evolution.placement.energy import thrifty
from evolution.placement.exhaustive import best_plan, is_small
from evolution.placement.local_search import Goal, LocalSearch
from evolution.placement.plan import Plan
from evolution.placement.room import fitting, packed

STEPS = 20_000  # moves that look for the least energy when simple ways exceed the budget
HEAT = 0.03  # share of the energy by which such a walk lets a plan get worse at first


class Repair:
    """Turns any devices of a plan, (P,), into some that keep to memory and the energy budget.

    Raises ValueError when memory is too short, or no plan is found that keeps to the budget.
    """

    def __init__(self, model: CostModel) -> None:
        self._model = model
        self._fallback = packed(model)
        self._budget = model.problem.energy_budget_j
        if self._budget is None:
            return
        self._arrays = arrays_of(model)
        self._bench = bench_for(self._arrays)
        plans = [self._fallback, *(way(model) for way in BASELINES.values())]
        least = min((self._saving(plan, 0.0) for plan in plans), key=model.energy)
        if model.energy(least) > self._budget:
            least = _least(model, least)
        if model.energy(least) > self._budget:
            proven = "needs" if is_small(model) else "found needs"
            raise ValueError(
                f"energy_budget_j: {self._budget:g} J a frame is too little,"
                f" no placement {proven} less than {model.energy(least):g} J."
            )
        self._fallback = least

    def __call__(self, device: Sequence[int]) -> list[int]:
        """Return the same devices, if they keep the rules, or some near them that do."""
        plan = fitting(self._model, device)
        if self._budget is None or self._model.energy(plan) <= self._budget:
            return plan
        plan = self._saving(plan, self._budget)
        return plan if self._model.energy(plan) <= self._budget else self._fallback

    def _saving(self, device: Sequence[int], budget: float) -> list[int]:
        """Return the plan after moves that save energy, until it keeps to the budget."""
        plan = np.array(device)
        thrifty(self._arrays, self._bench, plan, budget)
        return [int(d) for d in plan]


def _least(model: CostModel, device: Sequence[int]) -> list[int]:
    """Search longer for the devices of the least energy; of a small problem they are exactly that."""
    search = LocalSearch(model, Goal("energy"))
    rng = np.random.Generator(np.random.PCG64(0))
    plan, cost = search.refined(Plan(tuple(device), tuple(model.rank)), STEPS, HEAT, rng)
    better = best_plan(search, model, cost) if is_small(model) else None
    return list((better or plan).device)
