"""The bus within one process: what tests and examples use, with the manners of MQTT.

One thread delivers everything in the order of publication, so a test sees the same order each
time; :meth:`MemoryBroker.settle` waits until nothing is in flight.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from broker.bus.connection_listeners import Listeners
from broker.bus.outbox import Limits, Outbox, Outgoing
from broker.bus.router import Router, check_topic, matches
from broker.bus.seam import (
    MAX_PAYLOAD_BYTES,
    BusError,
    Handler,
    Message,
    PayloadTooLargeError,
    Will,
)

_Step = Callable[[], object]
_FLUSH_SECONDS: Final = 2.0


class MemoryBroker:
    """What the buses of one process meet at."""

    def __init__(self) -> None:
        self._steps: deque[_Step] = deque()
        self._change = threading.Condition()
        self._idle = self._running = True
        self.up = True
        self._buses: list[MemoryBus] = []
        self._retained: dict[str, bytes] = {}
        self._thread = threading.Thread(target=self._run, name="memory-broker", daemon=True)
        self._thread.start()

    def bus(
        self, client_id: str, will: Will | None = None, *, limits: Limits | None = None
    ) -> "MemoryBus":
        """Return a connected bus; one of the same id that was connected before loses its connection."""
        for other in list(self._buses):
            if other.client_id == client_id:
                other.disconnect()
        bus = MemoryBus(self, client_id, will, limits)
        self._buses.append(bus)
        bus.reconnect()
        return bus

    def settle(self, timeout: float = 5.0) -> None:
        """Wait until every message, and every message that its handlers sent, has been delivered.

        Raises:
            TimeoutError: something is still in flight after ``timeout`` seconds.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._idle and not self._steps, timeout):
                raise TimeoutError(f"the bus has not settled in {timeout} s")

    def stop(self) -> None:
        """Go down as a broker does: every connection and all retained messages are lost."""
        self.up = False
        for bus in list(self._buses):
            bus.disconnect(will=False)
        self.post(self._retained.clear)

    def start(self) -> None:
        """Come up again; every bus that is not closed reconnects."""
        self.up = True
        for bus in list(self._buses):
            bus.reconnect()

    def post(self, step: _Step) -> None:
        """Have the delivering thread do ``step`` after all that was posted before."""
        with self._change:
            self._steps.append(step)
            self._change.notify_all()

    def route(self, message: Outgoing) -> None:
        """Store what is retained and deliver to every bus that subscribed (delivering thread)."""
        if message.retain and message.payload:
            self._retained[message.topic] = message.payload
        elif message.retain:
            self._retained.pop(message.topic, None)
        for bus in list(self._buses):
            bus.receive(Message(message.topic, message.payload))

    def stored(self, topic_filter: str) -> list[Message]:
        """Return the retained messages that match (delivering thread)."""
        return [
            Message(topic, payload, retain=True)
            for topic, payload in self._retained.items()
            if matches(topic_filter, topic)
        ]

    def forget(self, bus: "MemoryBus") -> None:
        """Have no more to do with ``bus``."""
        if bus in self._buses:
            self._buses.remove(bus)

    def on_delivering_thread(self) -> bool:
        """Return whether the caller is a handler."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """End the delivering thread after what is in flight."""
        self.post(self._end)
        if not self.on_delivering_thread():
            self._thread.join(5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self) -> None:
        self._running = False

    def _run(self) -> None:
        while self._running:
            with self._change:
                self._idle = not self._steps
                if self._idle:
                    self._change.notify_all()
                self._change.wait_for(lambda: self._steps)
                self._idle = False
                step = self._steps.popleft()
            step()
        with self._change:
            self._idle = True
            self._steps.clear()
            self._change.notify_all()


class MemoryBus:
    """A :class:`~broker.bus.seam.Bus` on a :class:`MemoryBroker`, which makes it."""

    def __init__(
        self, broker: MemoryBroker, client_id: str, will: Will | None, limits: Limits | None
    ) -> None:
        self.client_id = client_id
        self._broker, self._will = broker, will
        self._outbox = Outbox(limits)
        self._router = Router()
        self._subscribed: dict[str, None] = {}  # what the broker knows; delivering thread only
        self._listeners = Listeners()
        self._connected = self._closed = False
        self._connection = 0  # how many there have been
        self._ended = threading.Event()

    @property
    def connected(self) -> bool:
        """Whether the broker hears us now."""
        return self._connected

    @property
    def dropped(self) -> int:
        """Messages given up so far because the way out was full or there was none."""
        return self._outbox.dropped

    @property
    def refused(self) -> int:
        """Nothing: here everybody may do everything."""
        return 0

    def on_refusal(self, listener: Callable[[BusError], None]) -> None:
        """There is nothing to tell ``listener``: here everybody may do everything."""

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        """Call ``handler`` for every message that matches, from now on and after every reconnect."""
        self._router.subscribe(topic_filter, handler)
        self._broker.post(lambda: self._subscribe(topic_filter))

    def unsubscribe(self, topic_filter: str) -> None:
        """Stop what :meth:`subscribe` began."""
        self._router.unsubscribe(topic_filter)
        self._broker.post(lambda: self._subscribed.pop(topic_filter, None))

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, stream: bool = False
    ) -> None:
        """Send a message; never blocks."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise PayloadTooLargeError(topic, len(payload))
        check_topic(topic)
        if self._closed:
            return
        self._outbox.put(Outgoing(topic, payload, retain, stream))
        self._post_sending()

    def on_connection(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` on every connect (and for the connection there is) and every loss."""
        self._listeners.add(listener)
        self._broker.post(self._welcome)

    def renew(self) -> None:
        """Give the connection up and make a new one."""
        self.disconnect()
        self.reconnect()

    def close(self) -> None:
        """Say goodbye without the will, after what is queued, and stop."""
        if self._closed:
            return
        self._closed = True
        self._broker.post(self._end)
        if not self._broker.on_delivering_thread():
            self._ended.wait(_FLUSH_SECONDS)

    def kill(self) -> None:
        """End as a process does that is killed: nothing more goes out, and the will is published."""
        self._closed = True
        self.disconnect()
        self._broker.forget(self)

    def disconnect(self, *, will: bool = True) -> None:
        """Lose the connection, of which the broker tells with the will."""
        if not self._connected:
            return
        self._connected = False
        self._outbox.shut()
        self._broker.post(lambda: self._lost(will=will))

    def reconnect(self) -> None:
        """Get the connection back, unless the broker is down."""
        if self._connected or self._closed or not self._broker.up:
            return
        self._connection += 1
        self._connected = True
        self._outbox.open()
        self._broker.post(self._begin)

    def receive(self, message: Message) -> None:
        """Take ``message`` from the broker if it was subscribed (delivering thread)."""
        if self._connected and any(matches(known, message.topic) for known in self._subscribed):
            self._broker.post(lambda: self._deliver(message))

    # What follows runs on the delivering thread.

    def _deliver(self, message: Message) -> None:
        if self._connected:
            self._router.deliver(message)

    def _subscribe(self, topic_filter: str) -> None:
        if self._connected:
            self._subscribed[topic_filter] = None
            for message in self._broker.stored(topic_filter):
                self._deliver(message)

    def _post_sending(self) -> None:
        connection = self._connection
        self._broker.post(lambda: self._send_one(connection))

    def _send_one(self, connection: int) -> None:
        if not self._connected or connection != self._connection:
            return  # that connection is lost; the next one sends what remains
        message = self._outbox.take(control=True)
        if message is not None:
            self._outbox.acknowledge(message)
            self._broker.route(message)

    def _begin(self) -> None:
        for topic_filter in self._router.filters:
            self._subscribe(topic_filter)
        for _ in range(len(self._outbox)):
            self._post_sending()
        self._listeners.tell(True)
        self._listeners.welcome()

    def _lost(self, *, will: bool) -> None:
        self._subscribed.clear()
        if will and self._will is not None:
            self._broker.route(Outgoing(self._will.topic, self._will.payload, True, False))
        if not self._closed:
            self._listeners.tell(False)

    def _welcome(self) -> None:
        if self._connected:
            self._listeners.welcome()

    def _end(self) -> None:
        self._connected = False
        self._broker.forget(self)
        self._ended.set()
