"""Simple ways to place, to start from and to compare with. All keep to memory and `choices`.

Each returns a device index per partition, (P,). Transfers are estimated without queueing; a
partition goes only where room is left, or the plan is repaired at the end.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from math import fsum

import numpy as np

from evolution.placement.cost_model import CostModel
from evolution.placement.room import fitting

LATE = 1e9  # seconds that make a device without room the last choice


def heft(model: CostModel) -> list[int]:
    """Place by falling upward rank where a partition would finish first.

    Source: Topcuoglu et al. 2002, doi:10.1109/71.993206, without insertion into idle gaps.
    """
    return _by_finish(model, _ranked(model), queueing=True)


def greedy(model: CostModel) -> list[int]:
    """Place in order of the file's dependencies where inputs plus seconds are the shortest."""
    return _by_finish(model, model.order, queueing=False)


def cpop(model: CostModel) -> list[int]:
    """Place the critical path on the one device that computes it soonest, the rest by finish.

    Source: Topcuoglu et al. 2002, doi:10.1109/71.993206, section 4.2; order and estimates are those
    of our HEFT.
    """
    path = [max(range(len(model.rank)), key=model.rank.__getitem__)]
    while following := [c for t in model.outputs[path[-1]] for c in model.consumers[t]]:
        path.append(max(following, key=model.rank.__getitem__))

    def spent(d: int) -> float:
        free = [p for p in path if d in model.choices[p]]
        return fsum(model.seconds[p][d] for p in free) if 2 * len(free) > len(path) else math.inf

    device = min(range(len(model.device_ids)), key=spent)
    fixed = {p: device for p in path if device in model.choices[p]}
    return _by_finish(model, _ranked(model), queueing=True, fixed=fixed)


def min_min(model: CostModel) -> list[int]:
    """Place next, of all partitions whose inputs are placed, the one that would finish first.

    Source: Ibarra & Kim 1977, doi:10.1145/322003.322011, heuristic D.
    """
    seconds = np.array(model.seconds)  # (P, D)
    latency, free = np.array(model.latency), np.zeros(len(model.latency))
    memory, room = np.array(model.memory), np.array(model.capacity)
    waiting = [len(inputs) for inputs in model.inputs]
    arrival = np.zeros_like(seconds)  # of the inputs, (P, D)
    ready = [p for p, missing in enumerate(waiting) if not missing]
    plan = [-1] * len(waiting)
    while ready:
        ends = np.maximum(arrival[ready], free) + seconds[ready]  # (R, D)
        ends = np.where(room >= memory[ready], ends, ends + LATE)
        first, d = divmod(int(ends.argmin()), len(free))
        p = ready.pop(first)
        plan[p] = d
        free[d] = max(arrival[p, d], free[d]) + seconds[p, d]
        room[d] -= memory[p, d]
        for t in model.outputs[p]:
            way = model.upload[t][d] + model.latency[d] + np.array(model.download[t]) + latency
            way[d] = 0.0
            for consumer in model.consumers[t]:
                arrival[consumer] = np.maximum(arrival[consumer], free[d] + way)
                waiting[consumer] -= 1
                if not waiting[consumer]:
                    ready.append(consumer)
    return fitting(model, plan)


def best_device(model: CostModel) -> list[int]:
    """Place all on the device with the least seconds in all; what may not run there, elsewhere."""
    devices = range(len(model.device_ids))

    def plan(d: int) -> list[int]:
        return [
            d if d in choices else min(choices, key=seconds.__getitem__)
            for choices, seconds in zip(model.choices, model.seconds, strict=True)
        ]

    def spent(d: int) -> tuple[bool, float]:
        return min(model.room(plan(d))) < 0, fsum(
            model.seconds[partition][at] for partition, at in enumerate(plan(d))
        )

    return fitting(model, plan(min(devices, key=spent)))


def at_random(model: CostModel, rng: np.random.Generator) -> list[int]:
    """Place each partition on any device where it may run."""
    plan = [choices[int(rng.integers(len(choices)))] for choices in model.choices]
    return fitting(model, plan)


BASELINES: dict[str, Callable[[CostModel], list[int]]] = {
    "heft": heft,
    "cpop": cpop,
    "min_min": min_min,
    "greedy": greedy,
    "best_device": best_device,
}


def _ranked(model: CostModel) -> list[int]:
    """List the partitions by falling upward rank, producers before consumers."""
    position = {partition: i for i, partition in enumerate(model.order)}
    return sorted(model.order, key=lambda p: (-model.rank[p], position[p]))


def _by_finish(
    model: CostModel,
    ordered: Sequence[int],
    *,
    queueing: bool,
    fixed: Mapping[int, int] | None = None,
) -> list[int]:
    """Give each partition in turn the device where it would end first; producers stand before.

    Those of `fixed` go to their device if there is room.
    """
    plan = [-1] * len(ordered)
    end = [0.0] * len(ordered)
    free = [0.0] * len(model.latency)
    room = list(model.capacity)
    for partition in ordered:
        choices, memory = model.choices[partition], model.memory[partition]
        if fixed and partition in fixed and room[fixed[partition]] >= memory[fixed[partition]]:
            choices = [fixed[partition]]
        roomy = [d for d in choices if room[d] >= memory[d]] or choices

        def finish(d: int, partition: int = partition) -> float:
            start = free[d] if queueing else 0.0
            for tensor in model.inputs[partition]:
                producer = model.producer[tensor]
                arrival = end[producer] + model.way(tensor, plan[producer], d)
                start = max(start, arrival)
            return start + model.seconds[partition][d]

        best = min(roomy, key=finish)
        end[partition] = free[best] = finish(best)
        plan[partition] = best
        room[best] -= memory[best]
    return fitting(model, plan)
