"""The runs that wait for the processor: one at a time, highest priority first, then the longest ready. Pure."""

import heapq
from collections import Counter
from typing import Final

from fog_node.serving import PartitionRun

LIVE_DEPTH: Final = 2
"""Frames of one live camera that may wait for one partition; beyond it the newest win."""


class RunQueue:
    """A bounded priority queue; what it drops is counted by reason in ``drops``."""

    def __init__(self, limit: int = 256) -> None:
        self._heap: list[tuple[float, int, PartitionRun]] = []
        self._sequence = 0
        self._limit = limit
        self.drops: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, run: PartitionRun) -> None:
        """Add a run; drop the oldest of a live camera that is ahead of the node, or of all if full."""
        if run.header.expires_at is not None:
            rivals = [
                entry
                for entry in self._heap
                if entry[2].header.camera == run.header.camera
                and entry[2].partition.id == run.partition.id
                and entry[2].header.deployment == run.header.deployment
            ]
            if len(rivals) >= LIVE_DEPTH:
                self._drop(min(rivals, key=lambda entry: entry[1]), "superseded")
        if len(self._heap) >= self._limit:
            self._drop(min(self._heap, key=lambda entry: entry[1]), "queue_full")
        self._sequence += 1
        heapq.heappush(self._heap, (-run.partition.priority, self._sequence, run))

    def pop(self, now: float) -> PartitionRun | None:
        """Return the next run whose deadline is not over, or None."""
        while self._heap:
            run = heapq.heappop(self._heap)[2]
            if run.header.expires_at is None or run.header.expires_at > now:
                return run
            self.drops["expired"] += 1
        return None

    def forget(self, deployment: str, epoch: int) -> None:
        """Drop the runs of an epoch that is served no more."""
        kept = [
            e
            for e in self._heap
            if (e[2].header.deployment, e[2].header.epoch) != (deployment, epoch)
        ]
        self.drops["retired"] += len(self._heap) - len(kept)
        self._heap = kept
        heapq.heapify(self._heap)

    def _drop(self, entry: tuple[float, int, PartitionRun], reason: str) -> None:
        self._heap.remove(entry)
        heapq.heapify(self._heap)
        self.drops[reason] += 1
