"""How many frames of one camera may be in flight; pure.

A fog that is given more than it can do queues the rest somewhere, and every queue makes every answer
later. So a camera keeps as many frames in flight as keep the fog busy and hardly more: the window of
TCP Vegas (Brakmo and Peterson, 1995), which compares the latency of now with that of an idle way.
"""

from collections import deque
from typing import Final

_QUEUED_LEAST, _QUEUED_MOST = 1.0, 3.0
"""Frames of this camera that should wait somewhere: fewer leave the fog idle, more only wait."""
_FIRST: Final = 4.0
_PROBE_S: Final = 10.0
_PROBES: Final = 6


class Window:
    """The number of frames that may be in flight, between ``least`` and ``most``."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = float(least), float(most)
        self._size = min(self._most, max(self._least, _FIRST))
        self._lowest: deque[float] = deque([float("inf")], maxlen=_PROBES)
        self._probed_at: float | None = None
        self._shrunk_at = -float("inf")

    @property
    def size(self) -> int:
        """How many frames may be in flight."""
        return int(self._size)

    def answered(self, seconds: float, now: float, *, full: bool) -> None:
        """Take an answer's latency; ``full`` tells whether the window was what held the camera back."""
        self._lowest[-1] = min(self._lowest[-1], seconds)
        if self._probed_at is None:
            self._probed_at = now
        if not full:
            return
        if now - self._probed_at >= _PROBE_S:
            # The idle latency may have changed, and is seen only where nothing waits.
            self._probed_at = now
            self._lowest.append(float("inf"))
            self._resize(self._size / 2)
            return
        queued = self._size * (1.0 - min(self._lowest) / max(seconds, 1e-9))
        if queued < _QUEUED_LEAST:
            self._resize(self._size + 1.0 / self._size)
        elif queued > _QUEUED_MOST:
            self._resize(self._size - 1.0 / self._size)

    def expired(self, timeout_s: float, now: float) -> bool:
        """Halve it, for an answer did not come; return whether it was.

        Once in a timeout: what is lost is mostly lost together.
        """
        if now - self._shrunk_at < timeout_s:
            return False
        self._shrunk_at = now
        self._resize(self._size / 2)
        return True

    def replaced(self) -> None:
        """Forget the latencies: other nodes serve now."""
        self._lowest = deque([float("inf")], maxlen=_PROBES)
        self._probed_at = None
        self._resize(max(self._size, _FIRST))

    def _resize(self, size: float) -> None:
        self._size = min(self._most, max(self._least, size))
