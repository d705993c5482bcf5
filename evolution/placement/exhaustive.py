"""The optimum over all devices of a small problem, with the upward rank as priority."""

from math import prod

from evolution.placement.cost_model import CostModel
from evolution.placement.plan import Cost, Plan

LARGEST = 4**8  # plans: 8 partitions on 4 devices
DEEPEST = 100  # partitions, most of which then have no choice


def is_small(model: CostModel) -> bool:
    """Tell whether the problem has few enough plans to look at all of them."""
    return (
        len(model.choices) <= DEEPEST and prod(len(choices) for choices in model.choices) <= LARGEST
    )


def best_plan(cost: Cost, known: float) -> tuple[Plan, float] | None:
    """Return the best of all plans and its cost, or None when none costs less than `known`.

    Partitions are assigned in topological order. A partial plan is left as soon as a bound on the
    cost of all that it can become reaches the best known: transfers without queues and the fastest
    devices for what follows, or the work of the busiest processor.
    """
    return _Enumeration(cost, known).run()


class _Enumeration:
    """Depth-first enumeration with a bound."""

    def __init__(self, cost: Cost, known: float) -> None:
        self.cost, self.model, self.best = cost, cost.model, known
        self.found: tuple[int, ...] | None = None
        partitions, devices = len(self.model.choices), len(self.model.capacity)
        self.device = [-1] * partitions
        self.end = [0.0] * partitions
        self.load = [0.0] * devices
        self.room = list(self.model.capacity)
        self.tail = [0.0] * partitions  # least seconds after a partition
        for p in reversed(self.model.order):
            after = [c for t in self.model.outputs[p] for c in self.model.consumers[t]]
            self.tail[p] = max(
                (min(self.model.seconds[c]) + self.tail[c] for c in after), default=0
            )

    def run(self) -> tuple[Plan, float] | None:
        """Enumerate everything."""
        self._assign(0, 0.0)
        if self.found is None:
            return None
        return Plan(self.found, tuple(self.model.rank)), self.best

    def _assign(self, depth: int, bound: float) -> None:
        """Try every device for the partition at this depth of the order."""
        model = self.model
        if depth == len(model.order):
            value = self.cost(self.device, model.rank, self.best)
            if value < self.best:
                self.best, self.found = value, tuple(self.device)
            return
        p = model.order[depth]
        options = []
        for d in model.choices[p]:
            seconds = model.seconds[p][d]
            start = 0.0
            for tensor in model.inputs[p]:
                producer = model.producer[tensor]
                arrival = self.end[producer] + model.way(tensor, self.device[producer], d)
                start = max(start, arrival)
            reached = max(bound, self.load[d] + seconds)
            if self.cost.objective == "response":
                reached = max(reached, start + seconds + self.tail[p])
            options.append((reached, start + seconds, d))
        for reached, end, d in sorted(options):
            if reached >= self.best or self.room[d] < model.memory[p]:
                continue
            before = self.load[d]
            self.device[p], self.end[p] = d, end
            self.load[d] = before + model.seconds[p][d]
            self.room[d] -= model.memory[p]
            self._assign(depth + 1, reached)
            self.room[d] += model.memory[p]
            self.load[d] = before
