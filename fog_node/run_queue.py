"""The runs that wait for the processor: oldest frame first, within a frame by priority. Pure.

Ordering by priority across frames would finish no frame at all on a node that is given more than it
can do: the first stage of every newer frame would go before the last one of any older frame.
"""

import heapq
from collections import Counter
from typing import Final

from fog_node.partition_run import PartitionRun

LIMIT: Final = 256

_Entry = tuple[float, float, int, PartitionRun]
_Key = tuple[str, int, str, int, str]


class RunQueue:
    """A bounded priority queue; what it drops is counted by reason in ``drops``.

    The oldest frame goes first, within a frame the highest priority, then the longest ready. Full,
    it drops the youngest frame: every node then keeps the same ones. A run that waits already is
    not added again.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._heap: list[_Entry] = []
        self._waiting: set[_Key] = set()
        self._sequence = 0
        self._limit = limit
        self.drops: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, run: PartitionRun, now: float) -> None:
        """Add a run unless it waits already; make room if there is none."""
        if run.key in self._waiting:
            self.drops["repeated"] += 1
            return
        if len(self._heap) >= self._limit:
            self._drop_expired(now)
        self._sequence += 1
        entry = (run.header.since, -run.partition.priority, self._sequence, run)
        self._waiting.add(run.key)
        heapq.heappush(self._heap, entry)
        if len(self._heap) > self._limit:
            youngest = max(self._heap)
            self._keep([entry for entry in self._heap if entry is not youngest])
            self.drops["queue_full"] += 1

    def pop(self, now: float) -> PartitionRun | None:
        """Return the next run whose deadline has not passed, or None."""
        while self._heap:
            run = heapq.heappop(self._heap)[-1]
            self._waiting.discard(run.key)
            if not _expired(run, now):
                return run
            self.drops["expired"] += 1
        return None

    def forget(self, deployment: str, epoch: int) -> None:
        """Drop the runs of an epoch that is no longer served."""
        kept = [
            entry
            for entry in self._heap
            if (entry[-1].header.deployment, entry[-1].header.epoch) != (deployment, epoch)
        ]
        self.drops["retired"] += len(self._heap) - len(kept)
        self._keep(kept)

    def _drop_expired(self, now: float) -> None:
        kept = [entry for entry in self._heap if not _expired(entry[-1], now)]
        self.drops["expired"] += len(self._heap) - len(kept)
        self._keep(kept)

    def _keep(self, entries: list[_Entry]) -> None:
        self._heap = entries
        heapq.heapify(self._heap)
        self._waiting = {entry[-1].key for entry in entries}


def _expired(run: PartitionRun, now: float) -> bool:
    return run.header.expires_at is not None and run.header.expires_at <= now
