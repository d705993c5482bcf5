"""The bus over MQTT: connects, and connects again."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Self

from broker.access.credentials import NOBODY, Credentials
from broker.access.tls import tls_context
from broker.bus.allocator import keep_large_buffers
from broker.bus.backoff import Backoff
from broker.bus.client_state import ClientState
from broker.bus.connection import CONNECT_SECONDS, Connection
from broker.bus.facts import BrokerFacts
from broker.bus.outbox import Limits, Outbox, Outgoing
from broker.bus.router import check_topic
from broker.bus.seam import (
    MAX_PAYLOAD_BYTES,
    BrokerRefusedError,
    BrokerUnreachableError,
    BusError,
    Handler,
    PayloadTooLargeError,
    TakenOverError,
    Will,
)
from broker.bus.url import BrokerUrl

_FLUSH_SECONDS: Final = 1.5
_STABLE_SECONDS: Final = (
    5.0  # a shorter connection (two parts with one id) does not reset the backoff
)

_REFUSED_SECONDS: Final = 60.0  # between two attempts at a broker that refuses us

logger = logging.getLogger(__name__)


class MqttBus:
    """A :class:`~broker.bus.seam.Bus` on an MQTT broker, with a thread of its own.

    Made directly it tries for ever, and publishing and subscribing work before the broker is there;
    :meth:`connect` insists on a first connection. ``client_id`` is to be unique at the broker: the
    id of a fog node is its client id, so that a second one ends the first. That the broker is not
    there is logged once per outage, the first one only if ``announce``, and only then what it refuses.

    One that refuses us is tried again as well, ever more rarely: a clock is set, a certificate renewed,
    a device enrolled again, without anybody starting it anew. ``yields``: a connection that was lost is
    not made again, for it would end that of whoever came after us with our id; listeners are told.

    Raises:
        ValueError: ``url`` or ``credentials`` are not valid, in one sentence.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        will: Will | None = None,
        *,
        credentials: Credentials = NOBODY,
        limits: Limits | None = None,
        announce: bool = True,
        yields: bool = False,
    ) -> None:
        keep_large_buffers()
        address = BrokerUrl.parse(url)
        if credentials.user is None and address.user is not None:
            credentials = replace(credentials, user=address.user)
        tls = tls_context(credentials) if address.tls else None
        outbox = Outbox(limits)
        self._state = ClientState(address, client_id, will, outbox, credentials, tls)
        self._yields = yields
        if announce:
            self._state.refusals.log()
        self._silent = not announce  # nothing (more) is to be said about the current outage
        self._trouble: BusError = BrokerUnreachableError(str(address), "no answer")
        self._settled = threading.Event()  # the first attempt has come to an end, good or bad
        self.on_connection(self._on_connection)
        self._thread = threading.Thread(target=self._run, name=f"bus-{client_id}", daemon=True)
        self._thread.start()

    @classmethod
    def connect(
        cls,
        url: str,
        client_id: str,
        *,
        credentials: Credentials = NOBODY,
        will: Will | None = None,
        timeout: float = CONNECT_SECONDS,
        retry: bool = False,
        yields: bool = False,
    ) -> Self:
        """Return a connected bus; with ``retry`` return at once, and one line is logged if it takes.

        Raises:
            BrokerUnreachableError: the first attempt failed, or ``timeout`` seconds have passed.
            BrokerRefusedError: the broker does not take us, or is not the one that we trust.
            ValueError: ``url`` or ``credentials`` are not valid.
        """
        bus = cls(url, client_id, will, credentials=credentials, announce=retry, yields=yields)
        if not retry:
            bus._settled.wait(timeout)
            if not bus.connected:
                bus.close()
                raise bus.trouble
        return bus

    @property
    def url(self) -> BrokerUrl:
        """The broker's address."""
        return self._state.url

    @property
    def trouble(self) -> BusError:
        """Why there is no connection, or was none before this one."""
        return self._trouble

    @property
    def facts(self) -> BrokerFacts | None:
        """What the broker says of itself, once there was a connection."""
        return self._state.facts

    @property
    def connected(self) -> bool:
        """Whether the broker hears us now."""
        return self._state.connected

    @property
    def dropped(self) -> int:
        """Messages given up so far because the way out was full or there was none."""
        return self._state.outbox.dropped

    @property
    def refused(self) -> int:
        """Messages and subscriptions that the broker did not allow."""
        return self._state.refusals.count

    def on_refusal(self, listener: Callable[[BusError], None]) -> None:
        """Call ``listener`` with what the broker does not allow, and has not so far."""
        self._state.refusals.add(listener)

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        """Call ``handler`` for every message that matches, from now on and after every reconnect."""
        self._state.router.subscribe(topic_filter, handler)
        self._state.changes.append((topic_filter, True))
        self._state.wakeup.set()

    def unsubscribe(self, topic_filter: str) -> None:
        """Stop what :meth:`subscribe` began."""
        if self._state.router.unsubscribe(topic_filter):
            self._state.changes.append((topic_filter, False))
            self._state.wakeup.set()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, stream: bool = False
    ) -> None:
        """Send a message; never blocks."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise PayloadTooLargeError(topic, len(payload))
        check_topic(topic)
        state = self._state
        state.outbox.put(Outgoing(topic, payload, retain, stream))
        state.wakeup.set()

    def on_connection(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` on every connect (and for the connection there is) and every loss."""
        self._state.listeners.add(listener)
        self._state.wakeup.set()

    def wait_answered(self, seconds: float) -> bool:
        """Wait until the broker answered all that was published and subscribed; return whether it did."""
        answered = threading.Event()
        self._state.unanswered.append(answered)
        self._state.wakeup.set()
        return answered.wait(seconds)

    def renew(self) -> None:
        """Give the connection up and make a new one: it seems to be open in one direction only."""
        self._state.renewing.set()
        self._state.wakeup.set()

    def close(self) -> None:
        """Send what is queued, say goodbye without the will, and stop; waits two seconds at most."""
        self._state.close(_FLUSH_SECONDS)
        if threading.current_thread() is not self._thread:
            self._thread.join(_FLUSH_SECONDS + 0.5)

    # What follows runs on the bus's own thread.

    def _run(self) -> None:
        absent, refused, state = Backoff(), Backoff(1.0, _REFUSED_SECONDS), self._state
        brief = 0  # connections in a row
        while not state.closing.is_set():
            begun = time.monotonic()
            connection = self._attempt(mqtt_5=True)
            if connection.loss.too_new and not state.closing.is_set():
                connection = self._attempt(mqtt_5=False)
            was_connected = state.connected
            stable = time.monotonic() - begun > _STABLE_SECONDS
            brief = brief + 1 if was_connected and not stable else 0
            if brief > 1:
                connection.loss.repeated()
            self._lost(connection)
            self._settled.set()
            if was_connected and self._yields:
                state.refusals.note(TakenOverError(state.client_id, connection.loss.reason))
                break
            if stable:
                absent.reset()
            if not connection.loss.refused:
                refused.reset()
            state.closing.wait((refused if connection.loss.refused else absent).delay())
        state.closing.wait()
        state.wakeup.close()

    def _attempt(self, *, mqtt_5: bool) -> Connection:
        """Return a connection that has come to its end, perhaps before it began."""
        connection = Connection(self._state, mqtt_5=mqtt_5)
        try:
            connection.serve()
        except OSError as error:
            late = isinstance(error, TimeoutError) and not error.strerror
            connection.loss.reason = "no answer" if late else error.strerror or str(error)
        except Exception as error:  # a bus that dies silently is worse than one that retries
            logger.exception("the connection to %s failed", self._state.url)
            connection.loss.reason = str(error)
        return connection

    def _lost(self, connection: Connection) -> None:
        """Take note that there is no connection (any more) and say so once."""
        state = self._state
        url, reason = str(state.url), connection.loss.reason
        kind = BrokerRefusedError if connection.loss.refused else BrokerUnreachableError
        self._trouble = kind(url, reason)
        state.outbox.shut(connection.unacknowledged)
        was_connected, state.connected = state.connected, False
        if not self._silent and not state.closing.is_set():
            if was_connected:
                said = f"lost the broker at {url} ({reason}); trying again until it answers"
            elif connection.loss.refused:
                said = f"{self._trouble}; trying again"
            else:
                said = f"{self._trouble}; trying again until it answers"
            logger.warning("%s", said)
            self._silent = True
        if was_connected:
            state.listeners.tell(False)

    def _on_connection(self, connected: bool) -> None:
        if connected:
            if self._silent:
                logger.info("connected to %s", self._state.url)
            self._silent = False
            self._settled.set()
