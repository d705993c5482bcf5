"""Ctrl-C and SIGTERM while a command computes: an exception, so that files and processes are closed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Ended(BaseException):
    """The process was told to end; ``code`` is what it exits with (128 and the signal's number)."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise `Ended` in the main thread on SIGINT and on SIGTERM, for as long as the context lasts."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise Ended(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
