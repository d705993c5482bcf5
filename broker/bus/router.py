"""Which handler gets which message: MQTT topic filters."""

import logging
import threading
from typing import Final

from broker.bus.seam import Handler, Message

_CACHE_LIMIT: Final = 4096
logger = logging.getLogger(__name__)


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether ``topic`` is one of those that ``topic_filter`` names (MQTT 5, section 4.7)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False  # the broker's own topics are asked for by name
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(levels) or level not in ("+", levels[position]):
            return False
    return len(levels) == len(wanted)


def check_filter(topic_filter: str) -> None:
    """Raise ValueError unless ``topic_filter`` is a filter that every broker takes."""
    levels = topic_filter.split("/")
    misplaced = any(
        (level != "#" and "#" in level) or (level != "+" and "+" in level) for level in levels
    )
    if not topic_filter or "\0" in topic_filter or misplaced or "#" in levels[:-1]:
        raise ValueError(f"{topic_filter!r} is not a topic filter")


def check_topic(topic: str) -> None:
    """Raise ValueError unless ``topic`` can be published to."""
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise ValueError(f"{topic!r} is not a topic to publish to")


class Router:
    """One handler per filter; any thread may change it while a bus's thread delivers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exact: dict[str, Handler] = {}
        self._wild: dict[str, Handler] = {}
        # Topics are few and come again with every frame: after the first time it is one look-up.
        self._found: dict[str, tuple[Handler, ...]] = {}

    @property
    def filters(self) -> list[str]:
        """All filters, in no particular order."""
        with self._lock:
            return [*self._exact, *self._wild]

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        """Set the handler of ``topic_filter``."""
        check_filter(topic_filter)
        wild = "+" in topic_filter or "#" in topic_filter
        with self._lock:
            (self._wild if wild else self._exact)[topic_filter] = handler
            self._found = {}

    def unsubscribe(self, topic_filter: str) -> bool:
        """Forget ``topic_filter``; return whether it was there."""
        with self._lock:
            self._found = {}
            return (
                self._exact.pop(topic_filter, None) is not None
                or self._wild.pop(topic_filter, None) is not None
            )

    def handlers(self, topic: str) -> tuple[Handler, ...]:
        """Return every handler that wants ``topic``."""
        found = self._found.get(topic)
        return self._look_up(topic) if found is None else found

    def deliver(self, message: Message) -> None:
        """Call every handler that wants ``message``; log what they raise."""
        for handler in self.handlers(message.topic):
            try:
                handler(message)
            except Exception:
                logger.exception("a handler failed on a message of %s", message.topic)

    def _look_up(self, topic: str) -> tuple[Handler, ...]:
        with self._lock:
            exact = self._exact.get(topic)
            found = (() if exact is None else (exact,)) + tuple(
                handler for wanted, handler in self._wild.items() if matches(wanted, topic)
            )
            if len(self._found) >= _CACHE_LIMIT:
                self._found = {}
            self._found[topic] = found
            return found
