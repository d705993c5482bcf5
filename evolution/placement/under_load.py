"""Placement for a stream: of good plans the one that most frames are answered soonest by."""

from collections.abc import Sequence

import numpy as np

from evolution.placement.cost_model import CostModel
from evolution.placement.plan import Plan, PlanOperators
from evolution.placement.repair import Repair
from evolution.placement.stream import Stream, evenly

STEPS = 1000  # changes tried on two dozen partitions; fewer on more, since each takes longer
MOST = 6_000_000  # over the square of the partitions, changes on hundreds of them


def steadied(
    model: CostModel,
    plans: Sequence[Plan],
    frames_per_s: float,
    repair: Repair,
    rng: np.random.Generator,
) -> tuple[Plan, int]:
    """Return the plan of the least p95 at a rate, and the number of streams simulated.

    The best of the plans is changed a little, again and again, and a change kept unless it is worse.
    """
    stream = Stream(model, evenly(frames_per_s))
    operators = PlanOperators(model, repair)
    scored = [(stream.p95_s(plan.device, plan.priority), plan) for plan in plans]
    least, best = min(scored, key=lambda pair: pair[0])
    count = len(model.choices)
    steps = min(STEPS, 24 * STEPS // count, MOST // count**2)
    for _ in range(steps):
        changed = operators.mutate(best, 1 / count, rng)
        if changed == best:
            continue
        value = stream.p95_s(changed.device, changed.priority)
        if value <= least:
            least, best = value, changed
    return best, len(plans) + steps
