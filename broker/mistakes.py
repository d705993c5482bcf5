"""Mistakes of ours that are gone on after: counted always, told in full once a minute for each occasion."""

import logging
from typing import Final

from broker.printable import printable

TELL_EVERY_S: Final = 60.0
_OCCASIONS: Final = 256


class Mistakes:
    """What raised where nothing should have; ``now`` is monotonic seconds."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told_until: dict[str, float] = {}
        self.count = 0

    def note(self, occasion: str, error: Exception, now: float) -> None:
        """Count a mistake, and log where it came from unless this occasion had one just now."""
        self.count += 1
        occasion = printable(occasion)
        if now < self._told_until.get(occasion, now):
            return
        self._told_until.pop(occasion, None)
        self._told_until[occasion] = now + TELL_EVERY_S
        if len(self._told_until) > _OCCASIONS:
            del self._told_until[next(iter(self._told_until))]
        self._log.error("%s led to a mistake of ours; going on", occasion, exc_info=error)
