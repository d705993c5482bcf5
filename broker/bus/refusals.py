"""What a broker does not let us do: counted, said once, and told to whoever listens."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from broker.bus.seam import BusError, NotAllowedError
from broker.topics import pattern_of

_KEPT: Final = 64
logger = logging.getLogger(__name__)

Listener = Callable[[BusError], None]


class Refusals:
    """One line for every pattern of topics and right: a hundred nodes are refused like one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: set[tuple[str, str]] = set()
        self._logs = False
        self._kept: list[BusError] = []
        self._listeners: list[Listener] = []
        self.count = 0
        """Messages and subscriptions refused so far."""

    def log(self) -> None:
        """Have them logged, for whoever runs on with what is left."""
        self._logs = True

    def add(self, listener: Listener) -> None:
        """Tell ``listener`` of what was refused so far, the first ones, and of what will be."""
        with self._lock:
            self._listeners.append(listener)
            kept = list(self._kept)
        for error in kept:
            _tell(listener, error)

    def note(self, error: BusError) -> None:
        """Take a refusal in."""
        if isinstance(error, NotAllowedError):
            self.count += 1
            kind = error.right, pattern_of(error.topic)
            if self._logs and kind not in self._said:
                self._said.add(kind)
                logger.warning("%s", error)
        with self._lock:
            if len(self._kept) < _KEPT:
                self._kept.append(error)
            listeners = list(self._listeners)
        for listener in listeners:
            _tell(listener, error)


def _tell(listener: Listener, error: BusError) -> None:
    try:
        listener(error)
    except Exception:
        logger.exception("a listener for refusals failed")
