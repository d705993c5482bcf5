"""When what serves is compared with another layout, and what the comparison says; pure.

At once where a node became slow, else when nodes, slowness, rate, neighbours and what was learned have
been the same for ``STEADY_S``. So a node that comes and goes causes no churn, and each change is asked about once.
"""

from dataclasses import replace
from typing import Final

from coordinator.fog.knowledge import Circumstances
from coordinator.fog.layout import Layout
from coordinator.fog.worth import worth_it

STEADY_S: Final = 10.0


class Comparison:
    """The comparisons of one deployment."""

    def __init__(self) -> None:
        self._current: tuple[Circumstances, float] | None = None
        self._judged: Circumstances | None = None
        self._only_neighbours = False

    def restart(self) -> None:
        """Take note that another epoch serves: by now its partitions have been measured where they run."""
        self._current = self._judged = None

    def due(self, circumstances: Circumstances, now: float) -> bool:
        """Return whether it is time to compare."""
        before = self._current
        if before is None or before[0] != circumstances:
            self._current = circumstances, now
        slower = before is not None and circumstances.slower_than(before[0])
        steady = before is not None and self._current == before and now - before[1] >= STEADY_S
        if self._judged == circumstances or not (slower or steady):
            return False
        judged, self._judged = self._judged, circumstances
        self._only_neighbours = judged is not None and judged == replace(
            circumstances, neighbours=judged.neighbours
        )
        return True

    def better(self, present: Layout | None, found: Layout, frames_per_s: float | None) -> bool:
        """Return whether the layout that was found is worth the change.

        Where nothing changed but the neighbours, who still keeps up stays: no two deployments are to
        push each other about.
        """
        if present is None:
            return True
        if self._only_neighbours and present.keeps_up(frames_per_s):
            return False
        return worth_it(present, found, frames_per_s)
