"""The way of one frame through an idle fog: who computes, sends and receives what, and when.

Exactly DESIGN.md, "Placement problem": priority dispatch without preemption, one upload per tensor
in the order of finishing, downloads in the order of arrival at the broker, local delivery at once.
What happens at the same instant is all taken in before any processor, uplink or downlink chooses.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Literal

from evolution.placement.cost_model import CostModel

Resource = Literal["compute", "upload", "download"]
Record = list[tuple[Resource, int, int, float, float]]  # device, partition or tensor, start, end


def response_seconds(
    model: CostModel,
    device: Sequence[int],
    priority: Sequence[float],
    record: Record | None = None,
) -> float:
    """Return the seconds from the start of a frame to the end of the last partition.

    `device` and `priority` are (P,): an index into the devices, and a number, higher first.
    `record`, when given, takes every use of a resource.
    """
    frame = _Frame(model, device, priority, record)
    events = frame.events
    touched: Sequence[int] = range(
        len(model.latency)
    )  # devices that may have something new to compute
    now = end = 0.0
    while True:
        frame.compute(now, touched)
        if frame.finished and not (events and events[0][0] == now):
            frame.send(now)
        if not events:
            return end
        now = events[0][0]
        changed: list[int] = []
        while events and events[0][0] == now:
            code = heappop(events)[1]
            if code < frame.partitions:
                end = now
                changed.append(frame.computed(code))
            elif code < frame.transfers:
                frame.at_broker(now, code - frame.partitions)
            else:
                changed.append(frame.at_device(*divmod(code - frame.transfers, frame.devices)))
        touched = changed


class _Frame:
    """The state of a frame under way.

    Events are (time, code): codes count the ends of partitions, then the arrivals of tensors at
    the broker, then those at a device (tensor * devices + device), so that ties follow the file.
    """

    __slots__ = (
        "by_priority",
        "device",
        "devices",
        "downlink",
        "events",
        "finished",
        "idle",
        "model",
        "partitions",
        "place",
        "ready",
        "record",
        "transfers",
        "uplink",
        "waiting",
    )

    def __init__(
        self,
        model: CostModel,
        device: Sequence[int],
        priority: Sequence[float],
        record: Record | None,
    ) -> None:
        self.model, self.device, self.record = model, device, record
        self.partitions = len(model.seconds)
        self.transfers = self.partitions + len(model.producer)
        self.devices = len(model.latency)
        # highest priority first, then the earlier in the file; place is the inverse
        self.by_priority = sorted(range(self.partitions), key=priority.__getitem__, reverse=True)
        self.place = [0] * self.partitions
        for position, partition in enumerate(self.by_priority):
            self.place[partition] = position
        self.waiting = [len(inputs) for inputs in model.inputs]
        self.ready: list[list[int]] = [[] for _ in range(self.devices)]  # heaps of places
        for partition, missing in enumerate(self.waiting):
            if not missing:
                self.ready[device[partition]].append(self.place[partition])
        for heap in self.ready:
            heapify(heap)
        self.idle = [True] * self.devices
        self.uplink = [0.0] * self.devices  # when it is free
        self.downlink = [0.0] * self.devices
        self.finished: list[int] = []  # tensors whose upload waits for the end of this instant
        self.events: list[tuple[float, int]] = []

    def compute(self, now: float, touched: Sequence[int]) -> None:
        """Start the first ready partition on each of these devices that is idle."""
        for d in touched:
            if self.idle[d] and self.ready[d]:
                partition = self.by_priority[heappop(self.ready[d])]
                self.idle[d] = False
                end = now + self.model.seconds[partition][d]
                heappush(self.events, (end, partition))
                if self.record is not None:
                    self.record.append(("compute", d, partition, now, end))

    def computed(self, partition: int) -> int:
        """Deliver a partition's outputs on its own device, and note those to send."""
        d = self.device[partition]
        self.idle[d] = True
        for tensor in self.model.outputs[partition]:
            if self._deliver(tensor, d):
                self.finished.append(tensor)
        return d

    def send(self, now: float) -> None:
        """Queue the tensors finished at this instant at their uplinks, in file order."""
        model = self.model
        self.finished.sort()
        for tensor in self.finished:
            d = self.device[model.producer[tensor]]
            start = max(now, self.uplink[d])
            self.uplink[d] = end = start + model.upload[tensor][d]
            heappush(self.events, (end + model.latency[d], self.partitions + tensor))
            if self.record is not None:
                self.record.append(("upload", d, tensor, start, end))
        self.finished.clear()

    def at_broker(self, now: float, tensor: int) -> None:
        """Queue a tensor at the downlinks of all other devices that consume it."""
        model = self.model
        home = self.device[model.producer[tensor]]
        for d in {self.device[consumer] for consumer in model.consumers[tensor]}:
            if d != home:
                start = max(now, self.downlink[d])
                self.downlink[d] = end = start + model.download[tensor][d]
                code = self.transfers + tensor * self.devices + d
                heappush(self.events, (end + model.latency[d], code))
                if self.record is not None:
                    self.record.append(("download", d, tensor, start, end))

    def at_device(self, tensor: int, d: int) -> int:
        """Deliver a tensor that has come from the broker."""
        self._deliver(tensor, d)
        return d

    def _deliver(self, tensor: int, d: int) -> bool:
        """Give a tensor to its consumers on a device; tell whether others are elsewhere."""
        elsewhere = False
        for consumer in self.model.consumers[tensor]:
            if self.device[consumer] != d:
                elsewhere = True
                continue
            self.waiting[consumer] -= 1
            if not self.waiting[consumer]:
                heappush(self.ready[d], self.place[consumer])
        return elsewhere
