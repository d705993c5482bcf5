"""The standby of a fusion: it answers what the first fusion does not. Pure.

Both hear the same partial logits. The standby gives the first ``HOLD_S`` to answer a frame that it
could answer itself; a first that was silent for two frames in a row is not waited for any more until
it is heard again, so a first that is frozen or cut off costs the stream one short gap.
"""

from collections import OrderedDict
from typing import Final

from broker.frame import FrameKey
from fog_node.partition_run import PartitionRun

HOLD_S: Final = 0.2
_SUSPECT_AFTER: Final = 2
_REMEMBERED: Final = 1024


class Standby:
    """Holds finished joins back until the first has answered them, or has not in time."""

    def __init__(self) -> None:
        self._held: OrderedDict[FrameKey, tuple[float, PartitionRun]] = OrderedDict()
        self._answered: OrderedDict[FrameKey, None] = OrderedDict()
        self._silent = 0

    def heard(self, key: FrameKey) -> None:
        """Take note that the first answered a frame."""
        self._silent = 0
        if self._held.pop(key, None) is None:
            self._answered[key] = None
            if len(self._answered) > _REMEMBERED:
                self._answered.popitem(last=False)

    def joined(self, run: PartitionRun, now: float) -> list[PartitionRun]:
        """Take a frame that could be answered; return it if the first is not to be waited for."""
        key = run.header.key
        if key in self._answered:
            # Once: a frame that comes again was sent again, and its answer got lost.
            del self._answered[key]
            return []
        if self._silent >= _SUSPECT_AFTER:
            return [run]
        self._held[key] = (now + HOLD_S, run)
        return []

    def due(self, now: float) -> list[PartitionRun]:
        """Return the frames that the first has not answered in time."""
        runs = [run for until, run in self._held.values() if now >= until]
        for run in runs:
            del self._held[run.header.key]
            self._silent += 1
        if self._silent >= _SUSPECT_AFTER:
            runs += [run for _, run in self._held.values()]
            self._held.clear()
        return runs

    def next_due(self) -> float | None:
        """Return when :meth:`due` has something to do, in the seconds of ``now``."""
        return min((until for until, _ in self._held.values()), default=None)
