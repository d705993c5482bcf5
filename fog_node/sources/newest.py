"""Which picture of a live source is sent: the newest, while it is fresh; pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fog_node.sources.source import Pixels

Size = tuple[int, int]
"""Height and width."""

FRESH_S: Final = 0.5
"""A picture is never older when it is sent."""
_PAUSED_S: Final = 1.5
_SETTLES_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a live source as it came; ``at`` is monotonic seconds.

    ``pixels`` decodes it, at least as high and wide as it is told where it is so large: uint8 (C, H, W),
    or DatasetError. Most pictures are never sent, and decoding is what a picture costs.
    """

    at: float
    name: str
    pixels: Callable[[Size], Pixels] = field(compare=False)


@dataclass(slots=True)
class NewestCounters:
    """What became of the pictures that came.

    ``replaced`` ones had a newer one take their place before they were sent, ``stale`` ones had not, and
    were too old when the stream was ready for them. ``oldest_s`` is the greatest age of one that was sent.
    """

    came: int = 0
    replaced: int = 0
    stale: int = 0
    oldest_s: float = 0.0


class Newest:
    """Room for one picture: a newer one takes its place, and so does time."""

    def __init__(self) -> None:
        self.counters = NewestCounters()
        self._shot: Shot | None = None
        self._number = 0
        self._looked_at: float | None = None
        self._settled_at = -float("inf")

    def put(self, shot: Shot) -> None:
        """Take a picture that has come."""
        self.counters.came += 1
        self.counters.replaced += self._shot is not None
        self._shot = shot
        self._number += 1

    def number(self, now: float) -> int:
        """Return the number of the picture that may be sent, 0 if there is none.

        To be asked at least every second: when that was not done the process was stopped, and what
        has queued up on the way meanwhile comes now, all of it seemingly fresh. It is left to pass.
        """
        if self._looked_at is not None and now - self._looked_at > _PAUSED_S:
            self._settled_at = now + _SETTLES_S
        self._looked_at = now
        if self._shot is not None and now - self._shot.at > FRESH_S:
            self._shot = None
            self.counters.stale += 1
        return self._number if self._shot is not None and now >= self._settled_at else 0

    def take(self, now: float) -> Shot | None:
        """Return the picture that may be sent, which makes room."""
        if not self.number(now):
            return None
        shot, self._shot = self._shot, None
        return shot

    def sent(self, shot: Shot, now: float) -> bool:
        """Return whether a picture that was taken is still fresh, now that it is decoded."""
        age = now - shot.at
        if age > FRESH_S:
            self.counters.stale += 1
            return False
        self.counters.oldest_s = max(self.counters.oldest_s, age)
        return True
