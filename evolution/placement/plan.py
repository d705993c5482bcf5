"""A plan, the genotype of placement: a device and a priority per partition; and its operators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evolution.placement.baselines import at_random
from evolution.placement.cost_model import CostModel


@dataclass(frozen=True, slots=True)
class Plan:
    """Device index and priority of every partition, (P,) each."""

    device: tuple[int, ...]
    priority: tuple[float, ...]


class PlanOperators:
    """The operators of one problem, in the form that the engine takes.

    `repair` puts right the devices of a plan that breaks the rules.
    """

    def __init__(self, model: CostModel, repair: Callable[[Sequence[int]], list[int]]) -> None:
        self.model = model
        self._repair = repair
        self._ranked = sorted(range(len(model.rank)), key=lambda p: (-model.rank[p], p))

    def random(self, rng: np.random.Generator) -> Plan:
        """Draw devices at random, with the upward rank as priority."""
        return self._fitting(at_random(self.model, rng), self.model.rank)

    def cross(
        self, first: Plan, second: Plan, rate: float, rng: np.random.Generator
    ) -> tuple[Plan, Plan]:
        """Exchange a run of the rank order (two points, cyclic) that is up to `rate` of it."""
        size = 1 + int(rng.random() * rate * len(self._ranked))
        start = int(rng.integers(len(self._ranked)))
        run = {self._ranked[(start + i) % len(self._ranked)] for i in range(size)}
        return self._mixed(first, second, run), self._mixed(second, first, run)

    def mutate(self, genome: Plan, rate: float, rng: np.random.Generator) -> Plan:
        """Draw each device again, and exchange each priority with another's, with P = `rate`."""
        device, priority = list(genome.device), list(genome.priority)
        for partition, choices in enumerate(self.model.choices):
            if rng.random() < rate:
                device[partition] = choices[int(rng.integers(len(choices)))]
            if rng.random() < rate:
                other = int(rng.integers(len(priority)))
                priority[partition], priority[other] = priority[other], priority[partition]
        return self._fitting(device, priority)

    def to_json(self, genome: Plan) -> dict[str, Any]:
        """Write a plan as plain lists."""
        return {"device": list(genome.device), "priority": list(genome.priority)}

    def from_json(self, value: Any) -> Plan:
        """Read a plan back."""
        return Plan(tuple(value["device"]), tuple(value["priority"]))

    def _mixed(self, base: Plan, other: Plan, run: set[int]) -> Plan:
        """Return the base with the other's genes in a run of partitions."""
        genes = range(len(base.device))
        return self._fitting(
            [other.device[p] if p in run else base.device[p] for p in genes],
            [other.priority[p] if p in run else base.priority[p] for p in genes],
        )

    def _fitting(self, device: Sequence[int], priority: Sequence[float]) -> Plan:
        """Return a plan that keeps the rules."""
        return Plan(tuple(self._repair(device)), tuple(priority))
