"""A placement problem as integer-indexed lists, and what needs no clock: ranks and loads."""

import math
from collections.abc import Sequence
from math import fsum

from evolution.placement.problem import PlacementProblem


class CostModel:
    """A problem as integer-indexed lists, in file order, for evaluating many placements.

    P partitions, D devices, T tensors. A plan is `device` (P indices into the devices) and
    `priority` (P numbers, higher first); it must keep to `choices`, which is not checked here.
    """

    def __init__(self, problem: PlacementProblem) -> None:
        self.problem = problem
        self.device_ids = [device.id for device in problem.devices]
        self.partition_ids = [partition.id for partition in problem.partitions]
        at = {name: i for i, name in enumerate(self.partition_ids)}
        devices = problem.devices
        number = {name: d for d, name in enumerate(self.device_ids)}
        # seconds[p][d], infinite where the partition may not run; choices[p]: where it may
        self.choices = [
            [number[device.id] for device in problem.choices(partition)]
            for partition in problem.partitions
        ]
        self.seconds = [[math.inf] * len(devices) for _ in problem.partitions]
        for partition, choices, row in zip(
            problem.partitions, self.choices, self.seconds, strict=True
        ):
            for d in choices:
                row[d] = partition.seconds[self.device_ids[d]]
        # bytes of a partition, (P,), and what it adds on a device: memory[p][d]
        self.needs = [partition.memory_bytes for partition in problem.partitions]
        self.memory = [[p.memory_on(name) for name in self.device_ids] for p in problem.partitions]
        self.capacity = [device.memory_bytes for device in devices]  # (D,)
        self.latency = [device.latency_s for device in devices]  # (D,)
        # seconds of a tensor on a link: upload[t][d], download[t][d]
        self.upload = [[t.bytes / d.uplink_bytes_per_s for d in devices] for t in problem.tensors]
        self.download = [
            [t.bytes / d.downlink_bytes_per_s for d in devices] for t in problem.tensors
        ]
        # joules of a MAC, and of a byte sent or received; zero where not given, (D,)
        self.per_mac = [device.joules_per_mac or 0.0 for device in devices]
        self.per_byte = [device.joules_per_byte or 0.0 for device in devices]
        self.macs = [partition.macs or 0.0 for partition in problem.partitions]  # (P,)
        self.producer = [at[tensor.producer] for tensor in problem.tensors]
        self.consumers = [[at[name] for name in tensor.consumers] for tensor in problem.tensors]
        self.outputs: list[list[int]] = [[] for _ in self.partition_ids]
        self.inputs: list[list[int]] = [[] for _ in self.partition_ids]
        for tensor, (producer, consumers) in enumerate(
            zip(self.producer, self.consumers, strict=True)
        ):
            self.outputs[producer].append(tensor)
            for consumer in consumers:
                self.inputs[consumer].append(tensor)
        self.order = [at[name] for name in problem.order]  # producers before consumers
        self.rank = self._upward_rank()

    def _upward_rank(self) -> list[float]:
        """Return HEFT's rank (Topcuoglu et al. 2002, doi:10.1109/71.993206, eq. 3), in seconds."""
        count = len(self.device_ids)
        latency = fsum(self.latency)  # not `sum`, which rounds as the version of Python does
        rank = [0.0] * len(self.partition_ids)
        for partition in reversed(self.order):
            seconds = list(self.problem.partitions[partition].seconds.values())
            longest = 0.0
            for tensor in self.outputs[partition]:
                way = (fsum(self.upload[tensor]) + latency) / count
                way += (fsum(self.download[tensor]) + latency) / count
                way *= (count - 1) / count
                for consumer in self.consumers[tensor]:
                    longest = max(longest, way + rank[consumer])
            rank[partition] = fsum(seconds) / len(seconds) + longest
        return rank

    def busiest(self, device: Sequence[int]) -> float:
        """Return the seconds per frame of the busiest processor, uplink or downlink."""
        return max(seconds for resource in self.loads(device) for seconds in resource)

    def loads(self, device: Sequence[int]) -> tuple[list[float], list[float], list[float]]:
        """Return the seconds per frame of all processors, uplinks and downlinks, (D,) each."""
        compute = [0.0] * len(self.latency)
        up = [0.0] * len(self.latency)
        down = [0.0] * len(self.latency)
        for partition, d in enumerate(device):
            compute[d] += self.seconds[partition][d]
        for tensor, producer in enumerate(self.producer):
            home = device[producer]
            targets = {device[consumer] for consumer in self.consumers[tensor]} - {home}
            if targets:
                up[home] += self.upload[tensor][home]
            for d in targets:
                down[d] += self.download[tensor][d]
        return compute, up, down

    def energy(self, device: Sequence[int]) -> float:
        """Return the joules of a frame: computing, one upload a tensor, one download a device."""
        joules = 0.0
        for partition, d in enumerate(device):
            joules += self.macs[partition] * self.per_mac[d]
        for tensor, producer in enumerate(self.producer):
            home, size = device[producer], self.problem.tensors[tensor].bytes
            listed = dict.fromkeys(device[consumer] for consumer in self.consumers[tensor])
            targets = [
                d for d in listed if d != home
            ]  # in file order, for the compiled twin's very bits
            moved = 0.0
            for d in [*targets, home] if targets else []:
                moved += size * self.per_byte[d]
            joules += moved
        return joules

    def room(self, device: Sequence[int]) -> list[float]:
        """Return the bytes left on every device, (D,); negative where memory is exceeded."""
        left = list(self.capacity)
        for partition, d in enumerate(device):
            left[d] -= self.memory[partition][d]
        return left

    def way(self, tensor: int, home: int, d: int) -> float:
        """Return the seconds of a tensor from device to device on idle links; at home none."""
        if home == d:
            return 0.0
        latency = self.latency[home] + self.latency[d]
        return self.upload[tensor][home] + self.download[tensor][d] + latency
