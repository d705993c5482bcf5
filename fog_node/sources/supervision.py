"""When a live source is opened, given up and opened again, and what is said of it; pure.

Every opening is an attempt with a thread of its own, for a read may hang for ever. One that does is
left behind with its thread, and the next attempt begins after a backoff. The caller tells what
happens and performs what comes back:

    waiting --due--> opening --opened--> open        (a picture keeps it open)
    opening, open --ended, or silent for too long--> waiting
"""

from dataclasses import dataclass
from typing import Final, Literal

from broker.bus.backoff import Backoff

OPEN_S: Final = 10.0
READ_S: Final = 5.0
MOST_ABANDONED: Final = 3
"""Threads that hang in a read, of one source; beyond them nothing is opened until one comes back."""
_STABLE_S: Final = 5.0
"""A source that ends sooner does not reset the backoff."""


@dataclass(frozen=True, slots=True)
class Start:
    """Open the source, in a thread of its own."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Say:
    """Log this of the source; ``trouble`` whether no pictures come."""

    text: str
    trouble: bool


Step = Start | Say


class Supervision:
    """One source's attempts; ``now`` is monotonic seconds everywhere."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        self._backoff = backoff or Backoff(0.5, 15.0)
        self._state: Literal["waiting", "opening", "open"] = "waiting"
        self._attempt = 0
        self._due: float | None = -float("inf")  # when it is to be opened, or given up; None: never
        self._opened_at = 0.0
        self._abandoned: set[int] = set()
        self._trouble: str | None = None
        self._trouble_at = 0.0
        self._gave = False  # a picture, ever
        self.reopened = 0

    @property
    def trouble(self) -> str | None:
        """Why no pictures come at the moment."""
        return self._trouble

    @property
    def next_due(self) -> float | None:
        """When :meth:`due` has something to do; None: not before something happens."""
        return self._due

    def is_current(self, attempt: int) -> bool:
        """Return whether what this attempt reads is wanted."""
        return attempt == self._attempt and self._state != "waiting"

    def due(self, now: float) -> list[Step]:
        """Open the source, or give up an attempt that hangs, if it is time."""
        if self._due is None or now < self._due:
            return []
        if self._state == "waiting":
            return self._open(now)
        self._abandoned.add(self._attempt)
        limit = OPEN_S if self._state == "opening" else READ_S
        what = "did not open" if self._state == "opening" else "gave no picture"
        return self._fail(f"{what} for {limit:g} s", now)

    def opened(self, attempt: int, now: float, *, polled: bool = False) -> None:
        """Take note that an attempt has opened the source; a ``polled`` one owes nothing until it is asked."""
        if self.is_current(attempt) and self._state == "opening":
            self._state, self._opened_at = "open", now
            self._due = None if polled else now + READ_S

    def asked(self, attempt: int, now: float) -> None:
        """Take note that a source that is polled was asked for a picture.

        Asked again, for what came was none, it has no more time for it.
        """
        if self.is_current(attempt) and self._due is None:
            self._due = now + READ_S

    def read(self, attempt: int, now: float, *, polled: bool = False) -> list[Step]:
        """Take note of a picture."""
        if not self.is_current(attempt):
            return []
        self._due = None if polled else now + READ_S
        if now - self._opened_at > _STABLE_S:
            self._backoff.reset()
        if self._trouble is None and self._gave:
            return []
        again, self._gave = self._gave, True
        self.reopened += again
        seconds = now - self._trouble_at
        self._trouble = None
        return [Say(f"goes on after {seconds:.0f} s" if again else "opened", trouble=False)]

    def ended(self, attempt: int, reason: str, now: float) -> list[Step]:
        """Take note that the thread of an attempt has come back, and why."""
        if attempt in self._abandoned:
            self._abandoned.discard(attempt)
            if self._state == "waiting" and self._due is None:
                self._due = now
            return []
        return self._fail(reason, now) if self.is_current(attempt) else []

    def _open(self, now: float) -> list[Step]:
        if len(self._abandoned) >= MOST_ABANDONED:
            self._due = None
            return self._say(f"{MOST_ABANDONED} reads hang", "waits until one of them ends", now)
        self._attempt += 1
        self._state, self._due = "opening", now + OPEN_S
        return [Start(self._attempt)]

    def _fail(self, reason: str, now: float) -> list[Step]:
        self._state, self._due = "waiting", now + self._backoff.delay()
        return self._say(reason, "tries again", now)

    def _say(self, reason: str, what: str, now: float) -> list[Step]:
        """Say what is wrong, once until it changes."""
        if self._trouble is None:
            self._trouble_at = now
        before, self._trouble = self._trouble, reason
        return [] if before == reason else [Say(f"{reason}; {what}", trouble=True)]
