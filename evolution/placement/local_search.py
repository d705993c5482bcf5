"""The goal of a search and its local search, in words that the genetic algorithm uses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evolution.placement.arrays import EVALUATIONS, Weights, arrays_of, bench_for
from evolution.placement.cost_model import CostModel
from evolution.placement.plan import Plan
from evolution.placement.refinement import DRAWS, cost, refine

Objective = Literal["response", "throughput"]
TIE = 1e-9  # share of the response time in other costs: it only breaks ties


@dataclass(frozen=True, slots=True)
class Goal:
    """What is minimised: the response time, or the busiest resource's seconds per frame.

    `interval_s` are the seconds between two frames that the busiest resource should keep up with.
    `budget_j` are the joules of a frame; `per_joule` and `per_byte` the seconds of cost for one
    beyond the budget or the memory of a device, infinite where a walk should never leave them.
    "energy" is an objective of our own, to find out what the least energy is.
    """

    objective: Objective | Literal["energy"] = "response"
    interval_s: float = math.inf
    budget_j: float = math.inf
    per_joule: float = math.inf
    per_byte: float = math.inf

    def __post_init__(self) -> None:
        if self.objective not in ("response", "throughput", "energy"):
            raise ValueError(
                f"objective: {self.objective!r} is neither 'response' nor 'throughput'."
            )
        if not self.interval_s > 0:
            raise ValueError("interval_s: the frames are some time apart.")

    @property
    def weights(self) -> Weights:
        """The goal as `refinement.cost` takes it."""
        return Weights(
            response=1.0 if self.objective == "response" else TIE,
            busiest=float(self.objective == "throughput"),
            interval_s=float(self.interval_s),
            joule=float(self.objective == "energy"),
            budget_j=float(self.budget_j),
            joule_beyond=float(self.per_joule),
            byte_beyond=float(self.per_byte),
        )


class LocalSearch:
    """Costs of plans and better plans near them, for one problem and one goal."""

    def __init__(self, model: CostModel, goal: Goal) -> None:
        self.goal = goal
        self.arrays = arrays_of(model)
        self.bench = bench_for(self.arrays)

    @property
    def evaluations(self) -> int:
        """How often the cost model was asked."""
        return int(self.bench.counts[EVALUATIONS])

    def cost(self, plan: Plan) -> float:
        """Return the cost of a plan, in seconds."""
        device, priority = np.array(plan.device), np.array(plan.priority)
        return cost(self.arrays, self.bench, device, priority, self.goal.weights, math.inf)

    def plainer(self, plan: Plan, usual: Sequence[float]) -> Plan:
        """Return the plan with every priority that makes no difference put back to the usual one."""
        priority, least = list(plan.priority), self.cost(plan)
        for p, own in enumerate(plan.priority):
            if own != usual[p]:
                priority[p] = usual[p]
                found = self.cost(Plan(plan.device, tuple(priority)))
                if found > least:
                    priority[p] = own
                least = min(least, found)
        return Plan(plan.device, tuple(priority))

    def refined(
        self, plan: Plan, steps: int, temperature: float, rng: np.random.Generator
    ) -> tuple[Plan, float]:
        """Return the best plan met in a walk of `steps` moves, and its cost.

        The walk accepts at first a rise of about `temperature` of the cost, in the end none.
        """
        device, priority = np.array(plan.device), np.array(plan.priority)
        best_device, best_priority = device.copy(), priority.copy()
        best = refine(
            self.arrays, self.bench, device, priority, best_device, best_priority,
            rng.random((steps, DRAWS)), self.goal.weights, temperature,
        )  # fmt: skip
        return Plan(tuple(best_device.tolist()), tuple(best_priority.tolist())), best
