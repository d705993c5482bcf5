"""How a command that has begun ends when it is told to, by Ctrl-C or SIGTERM: soon, whatever it does.

A part that serves is asked to stop (`stopped_by_signals`); a command that computes is interrupted by
an exception, so that files and processes are closed (`ended_by_signals`). Either way a thread of its
own keeps the time, woken by the kernel: Python runs a handler in the main thread only, and between
two instructions, so a main thread in a long call hears of nothing. What has not ended `PATIENCE_S`
after the signal is ended with its child processes: whatever lies on the disk is whole at any moment,
and the broker publishes the will of who is gone without a word.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import psutil

from broker.entry import owns_process

PATIENCE_S: Final = 2.7
"""From the signal to the end of the process, at the latest."""

_AGAIN_S: Final = 0.02

NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


class Ended(KeyboardInterrupt):
    """The process was told to end; ``code`` is what it exits with (128 and the signal's number)."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


class Stop:
    """Whether the process was told to stop, and who is to hear of it."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def told(self) -> bool:
        """Whether the signal came."""
        return self._told.is_set()

    def calls(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, when the signal comes or now if it did; not in the main thread."""
        with self._lock:
            self._callbacks.append(callback)
        if self.told:
            self._call()

    def tell(self) -> None:
        """Take note of the signal."""
        self._told.set()
        self._call()

    def _call(self) -> None:
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


@contextlib.contextmanager
def stopped_by_signals(late_code: int = 0) -> Iterator[Stop]:
    """Yield what hears of SIGINT and SIGTERM for as long as the context lasts.

    ``late_code`` is what a process exits with that did not stop in time.
    """
    stop = Stop()

    def hear(_number: int, _frame: FrameType | None) -> None:
        """Do nothing here: a callback may need a lock that the main thread holds this moment."""

    with _signals(hear, lambda _number: stop.tell(), lambda: True, lambda _number: late_code):
        yield stop


_held = 0
_waiting: int | None = None


@contextlib.contextmanager
def ended_by_signals(late_code: int | None = None) -> Iterator[None]:
    """Raise `Ended` in the main thread on the first SIGINT or SIGTERM, for as long as the context lasts.

    ``late_code`` is what a process exits with that does not end in time; default: 128 and the number.
    """
    told = False

    def end(number: int, _frame: FrameType | None) -> None:
        global _waiting  # noqa: PLW0603 - a process has one main thread, and signals come to it
        nonlocal told
        if told:
            return  # a second one must not interrupt the tidying up
        if _held:
            _waiting = number
            return
        told = True
        raise Ended(number)

    def swallowed(problem: "sys.UnraisableHookArgs") -> None:
        """Have it raised again: it came in a destructor, from which no exception gets out."""
        nonlocal told
        if isinstance(problem.exc_value, Ended):
            told = False
        else:
            before(problem)

    before, sys.unraisablehook = sys.unraisablehook, swallowed
    try:
        late = (lambda number: 128 + number) if late_code is None else (lambda _number: late_code)
        with _signals(end, lambda _number: None, lambda: told or _waiting is not None, late):
            yield
    finally:
        sys.unraisablehook = before


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Keep `Ended` back: a process that is being started in this context is known before it is raised."""
    global _held, _waiting  # noqa: PLW0603 - as above
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _waiting is not None and not _held:
            number, _waiting = _waiting, None
            signal.raise_signal(number)


@contextlib.contextmanager
def _signals(
    handler: Callable[[int, FrameType | None], None],
    hear: Callable[[int], None],
    reached: Callable[[], bool],
    late_code: Callable[[int], int],
) -> Iterator[None]:
    """Install ``handler``, and call ``hear`` with the first signal on the thread that keeps the time.

    The signal is sent again until it has ``reached`` the main thread: Python loses sight of one that
    comes just before a call that waits.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    told, over = False, threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True
        handler(number, frame)

    def keep_time() -> None:
        with reader:  # open to the end: a second signal is to find it, though nobody reads it
            number = _first(reader)
            if number is None:
                return
            until = time.monotonic() + PATIENCE_S
            try:
                hear(number)
            finally:
                while not over.wait(_AGAIN_S):
                    if time.monotonic() > until and owns_process():
                        _leave(late_code(number))
                    if not reached():
                        signal.pthread_kill(threading.main_thread().ident or 0, number)

    threading.Thread(target=keep_time, name="signals", daemon=True).start()
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, handle) for number in NUMBERS}
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        writer.close()
        if not (told and owns_process()):
            over.set()
            for number, kept in before.items():
                signal.signal(number, kept)


def _first(reader: socket.socket) -> int | None:
    """Return the first signal that is told of, None if none will be."""
    while numbers := reader.recv(16):
        for number in numbers:
            if number in NUMBERS:
                return number
    return None


def _leave(code: int) -> None:
    """End the process and those that it started."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            child.kill()
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\x1b[?25h")  # a progress bar hides the cursor
    os._exit(code)
