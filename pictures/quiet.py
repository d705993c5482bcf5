"""Keep Pillow's warnings to itself: what a user can act on is said by us, in one line."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

logging.getLogger("PIL").setLevel(logging.CRITICAL)

_lock = threading.Lock()
_inside = 0
_kept: AbstractContextManager[Any] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Neither print nor raise Pillow's warnings for as long as the context lasts, in any thread.

    Python's filters belong to the process: the first thread that comes sets them, the last that
    leaves puts them back.
    """
    global _inside, _kept  # noqa: PLW0603 - see above
    with _lock:
        _inside += 1
        if _inside == 1:
            _kept = warnings.catch_warnings()
            _kept.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\b")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _kept is not None:
                _kept.__exit__(None, None, None)
                _kept = None
