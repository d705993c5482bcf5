"""How old the pictures of a stream are, by its own clock; pure.

Whoever reads a stream more slowly than it comes reads it ever later, and nothing but its time stamps
tells: what waits on the way looks new. The least time between stamp and arrival is that of a picture
that did not wait, and what others took longer is their age.
"""

from typing import Final

_DRIFT: Final = 0.01
"""Clocks of cameras are that wrong: seconds a second."""
_PACE: Final = 0.5
"""What comes in less than this share of the time that it was taken in has waited somewhere."""
_JUMP_S: Final = 10.0
"""A stamp so far off is of a stream that began again."""


class StreamClock:
    """Compares the stamps of one stream with our clock, both in seconds."""

    def __init__(self) -> None:
        self._least: float | None = None
        self._stamp = self._at = 0.0
        self._settled = False

    def age(self, stamp: float, now: float) -> float | None:
        """Return how long a picture that came ``now`` was on the way, 0 where the stream has no clock.

        None: nobody knows yet. A stream begins with what was kept while it was opened, which comes
        much faster than it was taken.
        """
        least, delay = self._least, now - stamp
        if least is not None:
            least += _DRIFT * (now - self._at)
        jumped = stamp <= self._stamp or least is None or delay - least > _JUMP_S
        if self._least is not None and now - self._at >= _PACE * (stamp - self._stamp):
            self._settled = True
        self._least = delay if jumped or least is None else min(least, delay)
        self._stamp, self._at = stamp, now
        return delay - self._least if self._settled else None
