"""The optimum of a placement problem by CP-SAT (OR-Tools, extra `bench`).

Devices are Booleans; computing, uploads and one download per tensor and device are optional
intervals that do not overlap on a processor, uplink or downlink. The order is free, where the
cost model has fixed rules, so the bound holds for every placement, and a placement found is
scored again by the cost model.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evolution.placement.cost_model import CostModel

TICKS = 1e6  # a second


@dataclass(frozen=True, slots=True)
class Optimum:
    """What CP-SAT says: a bound in seconds that no placement beats, and its own placement."""

    proven: bool
    bound_s: float
    placement: Mapping[str, str]
    priority: Mapping[str, float]


def optimum(
    model: CostModel, known_s: float, hint: Mapping[str, str], seconds: float, threads: int
) -> Optimum:
    """Search for at most so many seconds below the response time that is known to be possible."""
    cp: Any = importlib.import_module("ortools.sat.python.cp_model")
    solver = cp.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = threads
    problem = _Frame(cp, model, known_s)
    problem.hint(hint)
    status = solver.solve(problem.cp)
    found = status in {cp.OPTIMAL, cp.FEASIBLE}
    names = model.partition_ids
    return Optimum(
        proven=status == cp.OPTIMAL,
        bound_s=solver.best_objective_bound / TICKS,
        placement={
            names[p]: model.device_ids[d] for (p, d), at in problem.at.items() if solver.value(at)
        }
        if found
        else {},
        priority={name: -float(solver.value(problem.start[p])) for p, name in enumerate(names)}
        if found
        else {},
    )


class _Frame:
    """The constraints of one frame."""

    def __init__(self, cp: Any, model: CostModel, known_s: float) -> None:
        self.cp = cp.CpModel()
        self.model = model
        self.horizon = int(known_s * TICKS) + 1
        partitions, devices = range(len(model.choices)), range(len(model.device_ids))
        self.start = [self._time(f"start {p}") for p in partitions]
        self.end = [self._time(f"end {p}") for p in partitions]
        self.at = {
            (p, d): self.cp.new_bool_var(f"{p} at {d}")
            for p in partitions
            for d in model.choices[p]
        }
        self.uses: dict[tuple[str, int], list[Any]] = {}
        for p in partitions:
            self.cp.add_exactly_one(self.at[p, d] for d in model.choices[p])
            for d in model.choices[p]:
                span = (self.start[p], model.seconds[p][d], self.end[p])
                self._use(("compute", d), *span, self.at[p, d])
        for t in range(len(model.producer)):
            self._transfer(t)
        for spans in self.uses.values():
            self.cp.add_no_overlap(spans)
        for d in devices:
            held = [(p, self.at[p, d]) for p in partitions if (p, d) in self.at]
            self.cp.add(
                sum(int(model.memory[p][d]) * at for p, at in held) <= int(model.capacity[d])
            )
        last = self._time("response")
        self.cp.add_max_equality(last, self.end)
        self.cp.minimize(last)

    def hint(self, placement: Mapping[str, str]) -> None:
        """Begin with a placement."""
        for (p, d), at in self.at.items():
            name = self.model.partition_ids[p]
            self.cp.add_hint(at, int(placement[name] == self.model.device_ids[d]))

    def _time(self, name: str) -> Any:
        return self.cp.new_int_var(0, self.horizon, name)

    def _use(self, key: tuple[str, int], start: Any, seconds: float, end: Any, when: Any) -> None:
        """Let a resource be used, rounded down to ticks so that the bound stays a bound."""
        span = self.cp.new_optional_interval_var(
            start, int(seconds * TICKS), end, when, f"{key} {len(self.uses)}"
        )
        self.uses.setdefault(key, []).append(span)

    def _transfer(self, t: int) -> None:
        """Let a tensor go up once if a consumer is elsewhere, and down once to each such device."""
        model, cp, producer = self.model, self.cp, self.model.producer[t]
        up_start, up_end = self._time(f"up {t}"), self._time(f"up end {t}")
        cp.add(up_start >= self.end[producer])
        sends = cp.new_bool_var(f"sends {t}")
        for d in model.choices[producer]:
            home = self.at[producer, d]
            both = cp.new_bool_var(f"sends {t} from {d}")
            cp.add_bool_or(home.Not(), sends.Not(), both)
            cp.add_implication(both, home)
            self._use(("upload", d), up_start, model.upload[t][d], up_end, both)
        homes = [
            (int(model.latency[d] * TICKS), self.at[producer, d]) for d in model.choices[producer]
        ]
        at_broker = up_end + sum(ticks * home for ticks, home in homes)
        consumers = model.consumers[t]
        for d in sorted({d for c in consumers for d in model.choices[c]}):
            home = self.at.get((producer, d), 0)
            comes = cp.new_bool_var(f"{t} comes to {d}")
            start, end = self._time(f"down {t} {d}"), self._time(f"down end {t} {d}")
            self._use(("download", d), start, model.download[t][d], end, comes)
            cp.add_implication(comes, sends)
            cp.add(start >= at_broker).only_enforce_if(comes)
            for c in (c for c in consumers if (c, d) in self.at):
                here = self.at[c, d]
                cp.add(comes >= here - home)
                ready = self.start[c] >= end + int(model.latency[d] * TICKS)
                cp.add(ready).only_enforce_if([here, comes])
        for c in consumers:
            cp.add(self.start[c] >= self.end[producer])
