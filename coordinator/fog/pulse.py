"""The beats of one life of a fog node, as far back as something can be told from them; pure."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from broker.messages import Beat

HISTORY_S: Final = 20.0
RECENT_S: Final = 3.5
"""A node that did not beat for so long tells nothing about now."""

Total = Callable[[Beat], int]
"""Reads one of a beat's totals since the node's start."""


@dataclass(frozen=True, slots=True)
class HeardBeat:
    """A beat and when it came, in monotonic seconds."""

    at: float
    beat: Beat


@dataclass(slots=True)
class Pulse:
    """The beats of the newest session heard, oldest first, of the last ``HISTORY_S`` seconds."""

    heard: deque[HeardBeat] = field(default_factory=deque)

    @property
    def session(self) -> int:
        """The session they are of, -1 before any."""
        return self.heard[-1].beat.session if self.heard else -1

    @property
    def latest(self) -> Beat:
        """The last beat; there must be one."""
        return self.heard[-1].beat

    def take(self, beat: Beat, now: float) -> bool:
        """Take a beat and return True, unless it was taken already or overtaken by a later one."""
        if self.heard:
            last = self.heard[-1].beat
            if (beat.session, beat.sequence) <= (last.session, last.sequence):
                return False
            if beat.session > last.session:
                self.heard.clear()
        self.heard.append(HeardBeat(now, beat))
        while now - self.heard[0].at > HISTORY_S:
            self.heard.popleft()
        return True

    def recent(self, now: float) -> bool:
        """Return whether the last beat says something about now."""
        return bool(self.heard) and now - self.heard[-1].at < RECENT_S

    def within(self, start: float) -> list[HeardBeat]:
        """Return the beats heard from ``start`` on."""
        return [heard for heard in self.heard if heard.at >= start]


def growth(beats: list[HeardBeat], total: Total) -> int:
    """Return how much a total grew from the first to the last of these beats of one session."""
    return max(0, total(beats[-1].beat) - total(beats[0].beat)) if beats else 0


def growing(beats: list[HeardBeat], total: Total) -> int:
    """Return between how many successive beats a total grew: whether something lasts, or was once."""
    return sum(total(later.beat) > total(earlier.beat) for earlier, later in pairwise(beats))
