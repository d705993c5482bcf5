"""The cost model written twice: slow, without events, straight from the sentences of docs/placement.md.

Times are guessed (never) and put right until nothing changes: since every time depends on earlier
ones only, each round gets at least one more of them right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from evolution.placement.problem import Partition, PlacementProblem
from evolution.placement.stream import OtherRun

T = TypeVar("T")


@dataclass
class SlowFrame:
    problem: PlacementProblem
    placement: dict[str, str]
    priority: dict[str, float]
    frame: dict[str, int] = field(default_factory=dict)  # partition -> its frame, in a stream
    release: dict[str, float] = field(default_factory=dict)  # and when that frame came
    end: dict[str, float] = field(default_factory=dict)
    uses: set[tuple[str, str, str, float, float]] = field(default_factory=set)

    def response(self) -> float:
        self.end = dict.fromkeys(self.placement, math.inf)
        for _ in range(4 * len(self.placement) + 4):
            before = dict(self.end)
            self.uses = set()
            arrivals = self.arrivals()
            for device in self.problem.devices:
                self.compute(device.id, arrivals)
            if before == self.end:
                return max(self.end.values())
        raise AssertionError("the times do not settle")

    def joules(self) -> float:
        """Each MAC at its device's price, each byte at the sender's, and at the receiver's."""
        device = {d.id: d for d in self.problem.devices}
        macs = {p.id: p.macs or 0.0 for p in self.problem.partitions}
        sizes = {t.id: t.bytes for t in self.problem.tensors}
        self.response()
        total = sum(macs[p] * (device[d].joules_per_mac or 0.0) for p, d in self.placement.items())
        for resource, where, subject, _, _ in self.uses:
            if resource != "compute":
                total += sizes[subject] * (device[where].joules_per_byte or 0.0)
        return total

    def arrivals(self) -> dict[tuple[str, str], float]:
        """When each tensor is at each other device that consumes it."""
        place, at_broker, arrivals = self.placement, {}, {}
        tensors = list(enumerate(self.problem.tensors))
        for device in self.problem.devices:  # a tensor goes up once, by end of producer, then file
            free = 0.0
            for _, tensor in sorted(tensors, key=lambda it: (self.end[it[1].producer], it[0])):
                others = {place[c] for c in tensor.consumers} - {place[tensor.producer]}
                if place[tensor.producer] == device.id and others:
                    start = max(free, self.end[tensor.producer])
                    free = start + tensor.bytes / device.uplink_bytes_per_s
                    at_broker[tensor.id] = free + device.latency_s
                    self.uses.add(("upload", device.id, tensor.id, start, free))
        for device in self.problem.devices:  # downlinks take them by arrival at the broker
            free = 0.0
            waiting = [(at_broker[t.id], i, t) for i, t in tensors if t.id in at_broker]
            for arrival, _, tensor in sorted(waiting, key=lambda it: it[:2]):
                if device.id != place[tensor.producer] and device.id in {
                    place[c] for c in tensor.consumers
                }:
                    start = max(free, arrival)
                    free = start + tensor.bytes / device.downlink_bytes_per_s
                    arrivals[tensor.id, device.id] = free + device.latency_s
                    self.uses.add(("download", device.id, tensor.id, start, free))
        return arrivals

    def compute(self, device: str, arrivals: dict[tuple[str, str], float]) -> None:
        """One device alone: of those ready take the oldest frame, then the highest priority, then file order."""
        mine = [p for p in self.problem.partitions if self.placement[p.id] == device]
        done: dict[str, float] = {}
        now = 0.0

        def ready_at(name: str) -> float:
            times = [self.release.get(name, 0.0)]
            for tensor in self.problem.tensors:
                if name in tensor.consumers:
                    if self.placement[tensor.producer] == device:
                        times.append(done.get(tensor.producer, math.inf))
                    else:
                        times.append(arrivals[tensor.id, device])
            return max(times)

        while len(done) < len(mine):
            left = [p for p in mine if p.id not in done]
            now = max(now, min(ready_at(p.id) for p in left))
            if now == math.inf:
                done |= {p.id: math.inf for p in left}
                break
            ready = [p for p in left if ready_at(p.id) <= now]
            # min keeps the earlier of equals
            first = min(ready, key=lambda p: (self.frame.get(p.id, 0), -self.priority[p.id]))
            done[first.id] = now + first.seconds[device]
            self.uses.add(("compute", device, first.id, now, done[first.id]))
            now = done[first.id]
        self.end |= done


def slow_stream(
    problem: PlacementProblem,
    placement: dict[str, str],
    priority: dict[str, float],
    arrivals: Sequence[float],
    others: Sequence[OtherRun] = (),
) -> list[float]:
    """Each frame's seconds from its coming to its end: one problem with every partition once a frame.

    A run of something else is a partition of its own, and a frame of its own.
    """
    numbers = range(len(arrivals))
    names = [d.id for d in problem.devices]
    theirs = {f"other-{k}": run for k, run in enumerate(others)}
    whole = PlacementProblem(
        problem.devices,
        (
            *(replace(p, id=f"{p.id}@{n}") for n in numbers for p in problem.partitions),
            *(Partition(k, 0, {names[run.device]: run.seconds}) for k, run in theirs.items()),
        ),
        tuple(
            replace(
                t,
                id=f"{t.id}@{n}",
                producer=f"{t.producer}@{n}",
                consumers=tuple(f"{c}@{n}" for c in t.consumers),
            )
            for n in numbers
            for t in problem.tensors
        ),
    )

    def each(values: dict[str, T]) -> dict[str, T]:
        return {f"{name}@{n}": value for n in numbers for name, value in values.items()}

    of = {f"{p.id}@{n}": n for n in numbers for p in problem.partitions}
    release = {name: arrivals[n] for name, n in of.items()}
    release |= {k: run.at_s for k, run in theirs.items()}
    ages = sorted([*arrivals, *(run.at_s for run in others)])
    frame = {name: ages.index(at) for name, at in release.items()}
    twin = SlowFrame(
        whole,
        each(placement) | {k: names[run.device] for k, run in theirs.items()},
        each(priority) | dict.fromkeys(theirs, 0.0),
        frame,
        release,
    )
    twin.response()
    return [max(twin.end[name] for name in of if of[name] == n) - arrivals[n] for n in numbers]


def slow_rank(problem: PlacementProblem, name: str) -> float:
    """HEFT's upward rank as a recursion over the file's objects."""
    devices = problem.devices
    (partition,) = [p for p in problem.partitions if p.id == name]
    longest = 0.0
    for tensor in problem.tensors:
        if tensor.producer == name:
            ways = [
                tensor.bytes / d.uplink_bytes_per_s
                + d.latency_s
                + tensor.bytes / d.downlink_bytes_per_s
                + d.latency_s
                for d in devices
            ]
            mean = sum(ways) / len(devices) * (len(devices) - 1) / len(devices)
            longest = max([longest, *(mean + slow_rank(problem, c) for c in tensor.consumers)])
    return sum(partition.seconds.values()) / len(partition.seconds) + longest
