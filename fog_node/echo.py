"""How long the broker takes to bring a node's own messages back: the only proof that it is still reached. Pure.

A connection may be open in one direction only, and a slow subscriber's messages queue at the broker:
in both cases a node goes on beating and hears nothing, or nothing new.
"""

from typing import Final

ECHO_S: Final = 0.5
DEAF_S: Final = 2.5
"""So long without an echo, and the connection is given up for a new one."""
_STEP_S: Final = 0.5
_OLDEST: Final = 8


class Echo:
    """Sends a number now and then, and tells how long the broker takes to return it."""

    def __init__(self) -> None:
        self._sent: dict[int, float] = {}  # number -> seconds waited so far
        self._number = 0
        self._last_s = 0.0
        self._next_at = 0.0
        self._looked_at: float | None = None

    def tick(self, now: float, *, connected: bool) -> bytes | None:
        """Return what to send now, or None; call it several times a second."""
        before = self._looked_at if self._looked_at is not None else now
        self._looked_at = now
        if not connected:
            self._sent.clear()
            self._last_s = 0.0
            return None
        # A process that was stopped has waited for nobody: it counts as one step.
        step = min(_STEP_S, now - before)
        for number in self._sent:
            self._sent[number] += step
        if now < self._next_at or len(self._sent) >= _OLDEST:
            return None
        self._next_at = now + ECHO_S
        self._number += 1
        self._sent[self._number] = 0.0
        return str(self._number).encode()

    def heard(self, payload: bytes, now: float) -> None:
        """Take what came back."""
        if not payload.isdigit() or int(payload) not in self._sent:
            return
        number = int(payload)
        since = 0.0 if self._looked_at is None else min(_STEP_S, max(0.0, now - self._looked_at))
        self._last_s = self._sent[number] + since
        for earlier in [each for each in self._sent if each <= number]:
            del self._sent[earlier]

    @property
    def seconds(self) -> float:
        """The last round trip, or the wait so far if that is longer."""
        return max(self._last_s, max(self._sent.values(), default=0.0))

    @property
    def deaf(self) -> bool:
        """Whether the connection brings nothing back."""
        return max(self._sent.values(), default=0.0) >= DEAF_S
