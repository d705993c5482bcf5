"""Reading many picture files, on all cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from pictures.errors import UnreadableError

T = TypeVar("T")
Tell = Callable[[str, int, int], None]
"""Told what is being done, how many files are done, and of how many."""

_MOST_THREADS: Final = 16
_AHEAD: Final = 4  # files in memory for each thread


def quietly(_part: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def gather(
    read: Callable[[Path], T], paths: Sequence[Path], part: str, tell: Tell = quietly
) -> Iterator[T | UnreadableError]:
    """Yield what `read` makes of each file, in their order; the error where one cannot be read.

    Threads are enough: Pillow gives the interpreter's lock back while it decodes and scales.
    """
    threads = min(_cores(), _MOST_THREADS)
    with ThreadPoolExecutor(threads, thread_name_prefix="pictures") as pool:
        left = iter(paths)

        def begin(count: int) -> list[Future[T | UnreadableError]]:
            return [pool.submit(_read, read, path) for path in islice(left, count)]

        waiting = begin(threads * _AHEAD)
        try:
            for done in range(len(paths)):
                result = waiting.pop(0).result()
                waiting += begin(1)
                tell(part, done + 1, len(paths))
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read(read: Callable[[Path], T], path: Path) -> T | UnreadableError:
    try:
        return read(path)
    except UnreadableError as error:
        return error
