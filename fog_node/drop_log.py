"""What was dropped, in the log once a minute at most: counters say how often, a line says that."""

import logging
from typing import Final

from fog_node.counters import DECLARED, worth_logging

_log = logging.getLogger("fog-node")
_EVERY_S: Final = 60.0


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
            name: counters[name] - self._last.get(name, 0)
            for name in worth_logging(counters)
            if counters[name] > self._last.get(name, 0)
        }
        if not new:
            return None
        self._last, self._said_at = dict(counters), now
        line = "; ".join(_told(name, count) for name, count in new.items())
        _log.warning(line)
        return line


def _told(name: str, count: int) -> str:
    """Return a count in words, with the name by which the beat and the protocol's page have it."""
    return f"{DECLARED[name].meaning}: {count} ({name})" if name in DECLARED else f"{name}: {count}"
