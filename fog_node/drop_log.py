"""What was dropped, in the log once a minute at most: counters say how often, a line says that."""

import logging
from typing import Final

_log = logging.getLogger("fog-node")
_EVERY_S: Final = 60.0
_WORTH_A_LINE: Final = (
    "bad_",
    "other_epoch",
    "stale_assignment",
    "run_failed",
    "artifact_refused",
    "superseded",
    "queue_full",
    "expired",
    "given_up",
    "inbox_dropped",
    "bus_dropped",
)


class DropLog:
    """Compares counters with those of the last line."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._said_at: float | None = None

    def note(self, counters: dict[str, int], now: float) -> str | None:
        """Log and return one line of what is new, if the last line is a minute old."""
        if self._said_at is not None and now - self._said_at < _EVERY_S:
            return None
        new = {
            name: count - self._last.get(name, 0)
            for name, count in counters.items()
            if name.startswith(_WORTH_A_LINE) and count > self._last.get(name, 0)
        }
        if not new:
            return None
        self._last, self._said_at = dict(counters), now
        line = "dropped: " + ", ".join(f"{name} {count}" for name, count in sorted(new.items()))
        _log.warning(line)
        return line
