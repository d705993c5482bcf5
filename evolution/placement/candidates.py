"""Which of many devices a search looks at: a few dozen that a good placement could want; pure.

P partitions run on P devices at most, and a search on a thousand devices spends its moves on ones
that are slower in everything than P others. So the devices are ranked in four ways, and the first
of every ranking are taken in turn until there are enough.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import fsum
from statistics import fmean
from typing import Final

from evolution.placement.problem import Device, PlacementProblem

CANDIDATES: Final = 64
"""So many devices are looked at, or twice as many as there are partitions if those are more."""


def narrowed(problem: PlacementProblem, most: int = CANDIDATES) -> PlacementProblem:
    """Return the problem on at most `most` (or 2P) of its devices, beside those that it names itself.

    Rankings, the best first: seconds of all partitions together; seconds of a mean partition with
    a mean tensor received and sent; seconds of the transfers alone; memory. Ties fall by file order.
    """
    weigh = _Weights(problem)
    rankings = [
        sorted(problem.devices, key=key)
        for key in (weigh.whole, weigh.share, weigh.transfers, weigh.memory)
    ]
    in_turn = (device for rank in zip(*rankings, strict=True) for device in rank)
    return _on(problem, in_turn, most)


def roomiest(problem: PlacementProblem, most: int = CANDIDATES) -> PlacementProblem:
    """Return the problem on the devices of most memory: what does not fit there fits nowhere.

    That holds where no partition is bound to a device or held by one: P partitions use P devices at
    most, and each of those has a roomier one here that is not yet used.
    """
    return _on(problem, sorted(problem.devices, key=_Weights(problem).memory), most)


class _Weights:
    """What the devices of a problem are ranked by; less is better."""

    def __init__(self, problem: PlacementProblem) -> None:
        self._partitions = problem.partitions
        self._slowest = [max(partition.seconds.values()) for partition in problem.partitions]
        self._tensor = fmean([tensor.bytes for tensor in problem.tensors] or [0.0])
        self._held: dict[str, float] = {}
        for partition in problem.partitions:
            for device in partition.held:
                self._held[device] = self._held.get(device, 0.0) + partition.memory_bytes

    def whole(self, device: Device) -> float:
        """Seconds of all partitions; one that may not run there counts as on its slowest device."""
        return fsum(
            partition.seconds.get(device.id, slowest)
            for partition, slowest in zip(self._partitions, self._slowest, strict=True)
        )

    def transfers(self, device: Device) -> float:
        """Seconds of a mean tensor down and another one up."""
        down, up = device.downlink_bytes_per_s, device.uplink_bytes_per_s
        return self._tensor / down + self._tensor / up + 2 * device.latency_s

    def share(self, device: Device) -> float:
        """Seconds of a mean partition that gets and gives a mean tensor."""
        return self.whole(device) / len(self._partitions) + self.transfers(device)

    def memory(self, device: Device) -> float:
        """Bytes that it has for these partitions, free or with some of them in it already; negated."""
        return -(device.memory_bytes + self._held.get(device.id, 0.0))


def _on(problem: PlacementProblem, ranked: Iterable[Device], most: int) -> PlacementProblem:
    """Return the problem on the first of the ranked devices, and on those that it names itself."""
    most = max(most, 2 * len(problem.partitions))
    named = {*problem.pinned.values(), *(d for listed in problem.allowed.values() for d in listed)}
    chosen: set[str] = set()
    for device in ranked:
        if len(chosen) == most:
            break
        if device.id not in named:
            chosen.add(device.id)
    kept = chosen | named
    for partition in problem.partitions:
        if kept.isdisjoint(partition.seconds):
            kept.add(min(partition.seconds, key=partition.seconds.__getitem__))
    devices = tuple(device for device in problem.devices if device.id in kept)
    if len(devices) == len(problem.devices):
        return problem
    return replace(
        problem,
        devices=devices,
        partitions=tuple(
            replace(
                partition,
                seconds={d: s for d, s in partition.seconds.items() if d in kept},
                held=tuple(d for d in partition.held if d in kept),
            )
            for partition in problem.partitions
        ),
    )
