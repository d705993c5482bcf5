"""What went wrong and is gone on without: counted always, logged once a minute with the latest of each kind."""

import logging
from collections import Counter
from typing import Final

from broker.mistakes import Mistakes
from broker.printable import printable

LOG_EVERY_S: Final = 60.0


class Failures:
    """Totals since the start by kind, and what the log has yet to tell of."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._totals: Counter[str] = Counter()
        self._logged: Counter[str] = Counter()
        self._latest: dict[str, str] = {}
        self._silent_until: dict[str, float] = {}
        self._mistakes = Mistakes(log)

    def note(self, kind: str, sentence: str, times: int = 1) -> None:
        """Count a failure; ``sentence`` says where and why."""
        self._totals[kind] += times
        self._latest[kind] = printable(sentence)

    def raised(self, occasion: str, error: Exception, now: float) -> None:
        """Count a mistake of ours; where it came from is logged in full, once a minute for each occasion."""
        self.note("raised", f"{occasion}: {error!r}")
        self._mistakes.note(occasion, error, now)

    @property
    def totals(self) -> dict[str, int]:
        """How many there were, by kind."""
        return dict(self._totals)

    def log_due(self, now: float) -> None:
        """Log what is new, each kind at most once a minute."""
        for kind, total in self._totals.items():
            new = total - self._logged[kind]
            if not new or now < self._silent_until.get(kind, now):
                continue
            times = "" if new == 1 else f" ({new} times)"
            self._log.warning("%s: %s%s", kind.replace("_", " "), self._latest[kind], times)
            self._logged[kind] = total
            self._silent_until[kind] = now + LOG_EVERY_S
