"""One connection for several parts of a process, which need not know of each other's subscriptions."""

import logging
import threading
from collections.abc import Callable

from broker.bus.seam import Bus, BusError, Handler, Message

logger = logging.getLogger(__name__)


class SharedBus:
    """Gives out shares of a bus; all of them may subscribe to the same filter."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._lock = threading.Lock()
        self._handlers: dict[str, dict[BusShare, Handler]] = {}

    def share(self) -> "BusShare":
        """Return a bus for one part; closing it ends its subscriptions and leaves the connection."""
        return BusShare(self)

    def add(self, topic_filter: str, share: "BusShare", handler: Handler) -> None:
        """Have ``handler`` called too; whoever was there hears what is retained once more."""
        with self._lock:
            handlers = {**self._handlers.get(topic_filter, {}), share: handler}
            self._handlers[topic_filter] = handlers
            self.bus.subscribe(topic_filter, lambda message: self._deliver(topic_filter, message))

    def remove(self, topic_filter: str, share: "BusShare") -> None:
        """Have its handler called no more."""
        with self._lock:
            handlers = dict(self._handlers.get(topic_filter, {}))
            if handlers.pop(share, None) is None:
                return
            self._handlers[topic_filter] = handlers
            if not handlers:
                del self._handlers[topic_filter]
                self.bus.unsubscribe(topic_filter)

    def remove_all(self, share: "BusShare") -> None:
        """Have none of its handlers called any more."""
        with self._lock:
            filters = [each for each, handlers in self._handlers.items() if share in handlers]
        for topic_filter in filters:
            self.remove(topic_filter, share)

    def _deliver(self, topic_filter: str, message: Message) -> None:
        for handler in self._handlers.get(topic_filter, {}).values():
            try:
                handler(message)
            except Exception:
                logger.exception("a handler failed on a message of %s", message.topic)


class BusShare:
    """A :class:`~broker.bus.seam.Bus` on a :class:`SharedBus`, which makes it."""

    def __init__(self, shared: SharedBus) -> None:
        self._shared, self._bus = shared, shared.bus

    @property
    def connected(self) -> bool:
        """Whether the broker hears us now."""
        return self._bus.connected

    @property
    def dropped(self) -> int:
        """Messages given up so far, by all that share the bus."""
        return self._bus.dropped

    @property
    def refused(self) -> int:
        """Messages and subscriptions that the broker did not allow, of all that share the bus."""
        return self._bus.refused

    def on_refusal(self, listener: Callable[[BusError], None]) -> None:
        """Call ``listener`` with what the broker does not allow."""
        self._bus.on_refusal(listener)

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        """Call ``handler`` for every message that matches, beside the handlers of the others."""
        self._shared.add(topic_filter, self, handler)

    def unsubscribe(self, topic_filter: str) -> None:
        """Stop what :meth:`subscribe` began."""
        self._shared.remove(topic_filter, self)

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, stream: bool = False
    ) -> None:
        """Send a message; never blocks."""
        self._bus.publish(topic, payload, retain=retain, stream=stream)

    def on_connection(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` on every connect and every loss."""
        self._bus.on_connection(listener)

    def renew(self) -> None:
        """Give the connection of all up and make a new one."""
        self._bus.renew()

    def close(self) -> None:
        """End the subscriptions of this share."""
        self._shared.remove_all(self)
