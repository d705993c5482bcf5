"""For how many frames per second a deployment is placed: as many as it is seen to answer, in big steps; pure."""

import math
from collections import deque
from typing import Final

WINDOW_S: Final = 60.0
HIGH_SHARE: Final = 0.9
"""A rate that this share of the last minute kept below."""
HEADROOM: Final = 1.25
STEP: Final = 1.3
"""A rate that changed by less than this factor changes no placement."""
IDLE_S: Final = 600.0
"""So long without a frame, and the rate is forgotten."""


class Rate:
    """The frames per second that one deployment is known to serve."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()
        self._known: float | None = None
        self._high = 0.0

    @property
    def served(self) -> float | None:
        """What is served, None before there were frames."""
        return self._known

    @property
    def lately(self) -> float | None:
        """What was served in the last minute: what is known, without its steps."""
        return self._high if self._samples else None

    @property
    def to_place_for(self) -> float | None:
        """What a placement should keep up with: what is served, and some headroom."""
        return None if self._known is None else HEADROOM * self._known

    def sample(self, frames_per_s: float, now: float) -> None:
        """Take the frames per second of the last moments; call it about once a second."""
        if frames_per_s <= 0:
            if self._samples and now - self._samples[-1][0] > IDLE_S:
                self._samples.clear()
                self._known = None
            return
        self._samples.append((now, frames_per_s))
        while now - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()
        rates = sorted(rate for _, rate in self._samples)
        self._high = high = rates[math.ceil(HIGH_SHARE * len(rates)) - 1]
        if self._known is None or not self._known / STEP <= high <= self._known * STEP:
            self._known = float(f"{high:.3g}")
