"""Foreign code has limits: a load or a run that outlasts its limit is ended, from another thread.

Limits count the processor time of the thread that works, so a device that is busy, throttled or suspended
condemns nothing; only ``PATIENCE_S`` in a row without any processor time counts beside it. onnxruntime
looks whether it was told to end between two operators; what does not end then takes the process with it,
for a thread cannot be ended from outside.
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
MOST_STEP_S: Final = 1.0
"""Between two looks no more counts: the rest is a pause of the whole process (SIGSTOP, a laptop that
sleeps), or of the watchdog, and nobody's fault."""
PATIENCE_S: Final = 60.0
"""In a row without processor time: it waits for something that does not come."""
GRACE_S: Final = 2.0
"""Processor time at least that is left after it was told to end; as much as its limit, if that is more."""

Verdict = Literal["go on", "end it", "give up"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the processor, and the latest seconds in a row without any."""

    cpu_s: float
    idle_s: float


def verdict(spent: Spent, limit_s: float, after_told: Spent | None) -> Verdict:
    """Return what follows from what was spent in all, and since it was told to end. Pure."""
    if after_told is not None:
        late = after_told.cpu_s > max(GRACE_S, limit_s) or after_told.idle_s > PATIENCE_S
        return "give up" if late else "go on"
    return "end it" if spent.cpu_s > limit_s or spent.idle_s > PATIENCE_S else "go on"


class _Meter:
    """What the thread that makes it spends from then on; ``told`` is what it had when it was told to end."""

    def __init__(self, *, told: bool) -> None:
        self._clock = _processor_clock()
        self._begun = self._clock()
        self._spent = Spent(0.0, 0.0)
        self.told = self._spent if told else None

    def read(self, step_s: float) -> Spent:
        """Return what was spent until now, ``step_s`` after it was read last."""
        try:
            cpu_s = self._clock() - self._begun
        except OSError:  # the thread is gone, and what it did has ended
            cpu_s = self._spent.cpu_s
        idle_s = 0.0 if cpu_s > self._spent.cpu_s else self._spent.idle_s + step_s
        self._spent = Spent(cpu_s, idle_s)
        return self._spent

    def tell(self) -> None:
        """Count anew from here."""
        self._spent = Spent(self.read(0.0).cpu_s, 0.0)
        self.told = self._spent


class Watched:
    """One load or run: how long it may take, and how it is ended."""

    def __init__(
        self, what: str, sha256: str, limit_s: float, most_bytes: int | None = None
    ) -> None:
        self.what, self.sha256, self.limit_s = what, sha256, limit_s
        self.reason = ""
        """Why it was told to end; empty while it was not."""
        self._most_bytes = most_bytes
        self._resident = _resident_bytes() if most_bytes is not None else 0
        self._end: Callable[[], None] = lambda: None
        self.here()

    def here(self) -> None:
        """Take note that the calling thread does the work from now on."""
        self._meter = _Meter(told=bool(self.reason))

    def ends_by(self, end: Callable[[], None]) -> None:
        """Take note how what begins now is ended; at once where it was told already."""
        self._end = end
        if self.reason:
            end()

    def tell(self, reason: str) -> None:
        """Tell it to end."""
        self.reason = self.reason or reason
        self._meter.tell()
        self._end()

    def look(self, step_s: float) -> Verdict:
        """Return what is to be done about it now, ``step_s`` after the last look."""
        meter = self._meter
        spent, told = meter.read(step_s), meter.told
        after = None if told is None else Spent(spent.cpu_s - told.cpu_s, spent.idle_s)
        return verdict(spent, self.limit_s, after)

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
        self._looked_at = time.monotonic()
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

    def look(self, now: float) -> None:
        """End what is over its limit, and give up what does not end; ``now`` in monotonic seconds.

        Under the lock, so that nothing is told to end, or given up, that has ended already.
        """
        step_s, self._looked_at = min(now - self._looked_at, MOST_STEP_S), now
        with self._lock:
            for each in self._watched:
                said = each.look(step_s)
                greed = each.greed() if not each.reason else ""
                if said == "give up":
                    self._give_up(each)
                elif greed or said == "end it":
                    each.tell(greed or f"did not end within {each.limit_s:.1f} s")

    def _watch(self) -> None:
        while not self._closed.wait(POLL_S):
            try:
                self.look(time.monotonic())
            except Exception:  # noqa: BLE001 - the next look is another matter, and nobody else watches
                _log.exception("the watchdog cannot look")


def _processor_clock() -> Callable[[], float]:
    """Return a clock of the processor time of this thread, which any thread may read.

    Where there is none (macOS, Windows) it is that of the process, to which other threads add.
    """
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(clock)


def _resident_bytes() -> int:
    resident: int = psutil.Process().memory_info().rss
    return resident
