"""Foreign code has limits: a load or a run that outlasts its limit is ended, from another thread.

Limits count the processor time of the thread that works, so a device that is busy or throttled condemns
nothing; only ``PATIENCE_S`` without an end counts on the wall. onnxruntime looks whether it was told
to end between two operators; what does not end then takes the process with it, for a thread cannot be
ended from outside.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import psutil

_log = logging.getLogger("fog-node")

POLL_S: Final = 0.2
PATIENCE_S: Final = 60.0
"""On the wall, for what uses no processor time: it waits for something that does not come."""
GRACE_S: Final = 2.0
"""Processor time at least that is left after it was told to end; as much as its limit, if that is more."""

Verdict = Literal["go on", "end it", "give up"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the processor and on the wall."""

    cpu_s: float
    wall_s: float

    def since(self, before: "Spent") -> "Spent":
        """Return what was spent from then on."""
        return Spent(self.cpu_s - before.cpu_s, self.wall_s - before.wall_s)


def verdict(spent: Spent, limit_s: float, after_told: Spent | None) -> Verdict:
    """Return what follows from what was spent in all, and since it was told to end. Pure."""
    if after_told is not None:
        late = after_told.cpu_s > max(GRACE_S, limit_s) or after_told.wall_s > PATIENCE_S
        return "give up" if late else "go on"
    over = spent.cpu_s > limit_s or spent.wall_s > PATIENCE_S + limit_s
    return "end it" if over else "go on"


class Watched:
    """One load or run: how long it may take, and how it is ended."""

    def __init__(
        self, what: str, sha256: str, limit_s: float, most_bytes: int | None = None
    ) -> None:
        self.what, self.sha256, self.limit_s = what, sha256, limit_s
        self.reason = ""
        """Why it was told to end; empty while it was not."""
        self.told: Spent | None = None
        self._most_bytes = most_bytes
        self._resident = _resident_bytes() if most_bytes is not None else 0
        self._end: Callable[[], None] = lambda: None
        self.here()

    def here(self) -> None:
        """Take note that the calling thread does the work from now on."""
        clock = _processor_clock()
        self._since = (clock, _now(clock))  # at once, for the watchdog reads both

    def ends_by(self, end: Callable[[], None]) -> None:
        """Take note how what begins now is ended; at once where it was told already."""
        self._end = end
        if self.reason:
            end()

    def tell(self, reason: str) -> None:
        """Tell it to end."""
        self.reason, self.told = reason, _now(self._since[0])
        self._end()

    def look(self) -> Verdict:
        """Return what is to be done about it now, told to end or not."""
        clock, begun = self._since
        now = _now(clock)
        after = None if self.told is None else now.since(self.told)
        return verdict(now.since(begun), self.limit_s, after)

    def greed(self) -> str:
        """Return what is wrong with the memory that the process took meanwhile, or nothing."""
        if self._most_bytes is None:
            return ""
        grown = _resident_bytes() - self._resident
        return f"took {grown} bytes of memory" if grown > self._most_bytes else ""


class Watchdog:
    """Looks at what is watched; ``give_up`` hears of what does not end, and why."""

    def __init__(self, give_up: Callable[[Watched], None]) -> None:
        self._give_up = give_up
        self._watched: set[Watched] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        self._closed.set()

    @contextlib.contextmanager
    def over(self, watched: Watched) -> Iterator[Watched]:
        """Watch what the calling thread does in this context."""
        watched.here()
        with self._lock:
            self._watched.add(watched)
        try:
            yield watched
        finally:
            with self._lock:
                self._watched.discard(watched)

    def look(self) -> None:
        """End what is over its limit, and give up what does not end."""
        with self._lock:
            watched = list(self._watched)
        for each in watched:
            said = each.look()
            greed = each.greed() if not each.reason else ""
            if said == "give up":
                self._give_up(each)
            elif greed or said == "end it":
                each.tell(greed or f"did not end within {each.limit_s:.1f} s")

    def _watch(self) -> None:
        while not self._closed.wait(POLL_S):
            self.look()


def _now(processor_clock: Callable[[], float]) -> Spent:
    try:
        cpu_s = processor_clock()
    except OSError:  # the thread is gone, and what it did has ended
        cpu_s = 0.0
    return Spent(cpu_s, time.monotonic())


def _processor_clock() -> Callable[[], float]:
    """Return a clock of the processor time of this thread, which any thread may read."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(clock)


def _resident_bytes() -> int:
    resident: int = psutil.Process().memory_info().rss
    return resident
