"""Who wants to know of connects and losses."""

import logging
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

Listener = Callable[[bool], None]


class Listeners:
    """Any thread adds; a bus's own thread tells."""

    def __init__(self) -> None:
        self._told: list[Listener] = []
        self._new: deque[Listener] = deque()

    @property
    def waiting(self) -> bool:
        """Whether some do not know yet that there is a connection."""
        return bool(self._new)

    def add(self, listener: Listener) -> None:
        """Take ``listener`` in; it hears of the connection there is with :meth:`welcome`."""
        self._new.append(listener)

    def welcome(self) -> None:
        """Tell those who came since of the connection there is."""
        while self._new:
            listener = self._new.popleft()
            self._told.append(listener)
            _call(listener, True)

    def tell(self, connected: bool) -> None:
        """Tell all who know of the state before."""
        for listener in self._told:
            _call(listener, connected)


def _call(listener: Listener, connected: bool) -> None:
    try:
        listener(connected)
    except Exception:
        logger.exception("a connection listener failed")
