"""Simple ways to place, to start from and to compare with. All keep to memory and `choices`.

Each returns a device index per partition, (P,). Transfers are estimated without queueing; a
partition goes only where room is left, or the plan is repaired at the end.
"""

from collections.abc import Callable, Sequence

import numpy as np

from evolution.placement.cost_model import CostModel
from evolution.placement.room import packed, repaired


def heft(model: CostModel) -> list[int]:
    """Place by falling upward rank where a partition would finish first.

    Source: Topcuoglu et al. 2002, doi:10.1109/71.993206, without insertion into idle gaps.
    """
    position = {partition: i for i, partition in enumerate(model.order)}
    ranked = sorted(model.order, key=lambda p: (-model.rank[p], position[p]))
    return _by_finish(model, ranked, queueing=True)


def greedy(model: CostModel) -> list[int]:
    """Place in order of the file's dependencies where inputs plus seconds are the shortest."""
    return _by_finish(model, model.order, queueing=False)


def best_device(model: CostModel) -> list[int]:
    """Place all on the device with the least seconds in all; what may not run there, elsewhere."""
    devices = range(len(model.device_ids))

    def plan(d: int) -> list[int]:
        return [
            d if d in choices else min(choices, key=seconds.__getitem__)
            for choices, seconds in zip(model.choices, model.seconds, strict=True)
        ]

    def spent(d: int) -> tuple[bool, float]:
        return min(model.room(plan(d))) < 0, sum(
            model.seconds[partition][at] for partition, at in enumerate(plan(d))
        )

    return _fitting(model, plan(min(devices, key=spent)))


def at_random(model: CostModel, rng: np.random.Generator) -> list[int]:
    """Place each partition on any device where it may run."""
    plan = [choices[int(rng.integers(len(choices)))] for choices in model.choices]
    return _fitting(model, plan)


BASELINES: dict[str, Callable[[CostModel], list[int]]] = {
    "heft": heft,
    "greedy": greedy,
    "best_device": best_device,
}


def _by_finish(model: CostModel, ordered: Sequence[int], *, queueing: bool) -> list[int]:
    """Give each partition in turn the device where it would end first; producers stand before."""
    plan = [-1] * len(ordered)
    end = [0.0] * len(ordered)
    free = [0.0] * len(model.latency)
    room = list(model.capacity)
    for partition in ordered:
        choices = model.choices[partition]
        fitting = [d for d in choices if room[d] >= model.memory[partition]] or choices

        def finish(d: int, partition: int = partition) -> float:
            start = free[d] if queueing else 0.0
            for tensor in model.inputs[partition]:
                producer = model.producer[tensor]
                arrival = end[producer] + model.way(tensor, plan[producer], d)
                start = max(start, arrival)
            return start + model.seconds[partition][d]

        best = min(fitting, key=finish)
        end[partition] = free[best] = finish(best)
        plan[partition] = best
        room[best] -= model.memory[partition]
    return _fitting(model, plan)


def _fitting(model: CostModel, plan: list[int]) -> list[int]:
    """Return the plan, repaired where memory is exceeded; ValueError when nothing fits."""
    return repaired(model, plan) or packed(model)
