"""One MQTT connection, from CONNECT to its loss: the one file that knows paho.

Only the thread that serves the connection touches paho; whoever publishes or subscribes leaves a
note in the :class:`~broker.bus.client_state.ClientState` and wakes it. So paho's unbounded queue never holds
more than 64 KB or one message, a publish never waits for a lock that a socket holds, and what is
dropped is dropped by the outbox. Every connection has a paho client of its own, for one that
reconnects would send old retained state again after the new.
"""

import logging
import select
import socket
import time
from typing import Any, Final

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from broker.bus.client_state import ClientState
from broker.bus.facts import BrokerFacts
from broker.bus.in_flight import InFlight
from broker.bus.loss import Loss
from broker.bus.outbox import Outgoing
from broker.bus.seam import Message

KEEPALIVE_SECONDS: Final = 5
"""The broker gives a silent client up after one and a half of these, and we a silent broker after two."""

CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 3.0  # for CONNACK and SUBACK
_IDLE_SECONDS: Final = 0.5  # how often the keepalive is looked after
_WINDOW: Final = 20  # control messages sent and not yet acknowledged
_BURST_BYTES: Final = 64 * 1024  # given to paho before it writes, and before we read again
_MESSAGE_BYTES: Final = 2048  # what an empty message counts as

logger = logging.getLogger(__name__)


class Connection:
    """Carries what a client has to say and wants to hear, until it is lost or the client closes."""

    def __init__(self, state: ClientState, *, mqtt_5: bool) -> None:
        self._state = state
        self._version = MQTTProtocolVersion.MQTTv5 if mqtt_5 else MQTTProtocolVersion.MQTTv311
        self._in_flight = InFlight(state.outbox, state.refusals)
        self._subscribed_at = self._begun = self._looked_after = 0.0
        self._busy = False  # more waits to be handed over
        self._hears_answers = False
        self._blocked = False  # the socket took no more
        self._parting = False  # goodbye is said
        self.loss = Loss(state.url, state.client_id, state.credentials.user)

    @property
    def unacknowledged(self) -> list[Outgoing]:
        """Control messages that the broker may not have."""
        return self._in_flight.unacknowledged

    def serve(self) -> None:
        """Connect, read and write until the connection is lost or the client closes.

        Raises:
            OSError: there is no broker.
        """
        client = self._client()
        try:
            self._connect(client)
        except OSError as error:
            if not self.loss.handshake(error):
                raise
            return
        self._state.renewing.clear()
        sock: Any = client.socket()
        self._begun = self._looked_after = time.monotonic()
        while client.socket() == sock:  # until paho closes it
            self._exchange(client, sock)
            now = time.monotonic()
            if self._given_up(client, now) or self._closed(client, now):
                return

    def _exchange(self, client: Client, sock: Any) -> None:
        """Wait for something to do, then read what came and write what waits."""
        state = self._state
        # TLS has read more than select knows.
        pending = getattr(sock, "pending", lambda: 0)() > 0
        readable, writable, _ = select.select(
            [sock, state.wakeup.reader],
            [sock] if client.want_write() else [],
            [],
            0 if self._busy or pending else _IDLE_SECONDS,
        )
        if pending or sock in readable:
            client.loop_read()
        if state.wakeup.reader in readable:
            state.wakeup.clear()
        if writable:
            self._blocked = False
        self._write(client)
        self._busy = (
            not self._blocked and state.connected and not self._parting and self._work(client)
        )
        self._write(client)
        if state.unanswered and state.connected and not state.changes and not len(state.outbox):
            while state.unanswered and self._all_said(client):
                state.unanswered.popleft().set()

    def _write(self, client: Client) -> None:
        """Write what paho has, unless the socket took no more the last time."""
        if client.want_write() and not self._blocked:
            client.loop_write()
            self._blocked = client.want_write()

    def _given_up(self, client: Client, now: float) -> bool:
        """Return whether nothing is to be hoped for from this connection; look after its keepalive."""
        state = self._state
        if state.renewing.is_set():
            self.loss.reason = "it brought nothing any more"
            return True
        if now - self._looked_after <= _IDLE_SECONDS:
            return False
        self._looked_after = now
        client.loop_misc()
        if self._in_flight.subscriptions and now - self._subscribed_at > _ANSWER_SECONDS:
            # A SUBACK that got lost would leave us connected without hearing anything.
            self.loss.reason = "no answer to a subscription"
            return True
        return not state.connected and now - self._begun > _ANSWER_SECONDS

    def _closed(self, client: Client, now: float) -> bool:
        """Say goodbye once the client closes and all is said; return whether that takes too long."""
        state = self._state
        if not state.closing.is_set():
            return False
        late = now > state.deadline
        if self._parting:
            return late
        if late or self._all_said(client):
            self._parting = True
            self._part(client)
        return False

    def _client(self) -> Client:
        """Return a client that knows who we are."""
        state = self._state
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=state.client_id,
            protocol=self._version,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_SECONDS
        client.on_socket_open = _set_nodelay
        client.on_socket_register_write = _write_later
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_log = (
            self._on_log
        )  # only until there is a connection: it would cost every message
        if state.credentials.user is not None:
            client.username_pw_set(state.credentials.user, state.credentials.password)
        if state.tls is not None:
            client.tls_set_context(state.tls)
        if state.will is not None:
            client.will_set(state.will.topic, state.will.payload, qos=1, retain=True)
        return client

    def _connect(self, client: Client) -> None:
        """Bring ``client`` on its way to the broker, with nothing received yet."""
        url = self._state.url
        clean = self._version == MQTTProtocolVersion.MQTTv5 or MQTT_CLEAN_START_FIRST_ONLY
        client.connect(url.host, url.port, KEEPALIVE_SECONDS, clean_start=clean)
        self.loss.asked()

    def _work(self, client: Client) -> bool:
        """Hand over what waits, up to a burst; return whether more waits."""
        state = self._state
        if state.changes or state.listeners.waiting:
            self._change(client)
        in_flight = self._in_flight
        room = _BURST_BYTES
        while room > 0:
            # Control waits for subscriptions: whoever asks is to hear the answer, and not every
            # broker deals with what one client sends in its order.
            control = in_flight.control < _WINDOW and not in_flight.subscriptions
            message = state.outbox.take(control=control)
            if message is None:
                break
            topic, payload, retain, _ = message
            qos = in_flight.qos(message)
            info = client.publish(topic, payload, qos, retain)
            if qos:
                in_flight.sent(info.mid, message)
            room -= len(payload) + _MESSAGE_BYTES
        if in_flight.messages != self._hears_answers:
            # Not always: it costs every message of QoS 0 as well, which has no answer.
            self._hears_answers = in_flight.messages
            client.on_publish = self._on_publish if self._hears_answers else None
        return room <= 0

    def _change(self, client: Client) -> None:
        state = self._state
        state.listeners.welcome()
        while state.changes:
            topic_filter, comes = state.changes.popleft()
            if comes:
                self._subscribe(client, [topic_filter])
            else:
                client.unsubscribe(topic_filter)

    def _subscribe(self, client: Client, filters: list[str]) -> None:
        _, packet_id = client.subscribe([(topic_filter, 1) for topic_filter in filters])
        self._in_flight.subscriptions[packet_id] = filters
        self._subscribed_at = time.monotonic()

    def _all_said(self, client: Client) -> bool:
        in_flight = self._in_flight
        waiting = in_flight.messages or in_flight.subscriptions or client.want_write()
        return not (self._busy or waiting) or not self._state.connected

    def _part(self, client: Client) -> None:
        """Say goodbye, after the deliveries have ended.

        Bytes that nobody reads would turn the end of the connection into a reset, and the broker
        would publish the will, goodbye or not.
        """
        filters = self._state.router.filters
        if self._state.connected and filters:
            client.on_unsubscribe = _disconnect
            client.unsubscribe(filters)
        else:
            client.disconnect()

    def _on_connect(
        self, client: Client, _userdata: Any, _flags: Any, reason: Any, properties: Any
    ) -> None:
        client.on_log = None
        self.loss.answered(reason.value, str(reason))
        if reason.is_failure:
            return  # paho closes the connection
        mqtt = "5" if self._version == MQTTProtocolVersion.MQTTv5 else "3.1.1"
        self._state.facts = BrokerFacts.of(mqtt, properties, client.socket())
        # First the subscriptions, then the retained state: whoever hears of us hears our answers.
        state = self._state
        state.changes.clear()
        filters = state.router.filters
        if filters:
            self._subscribe(client, filters)
        state.outbox.open()
        state.connected = True
        state.listeners.tell(True)

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        state = self._state
        if not state.connected:
            if self._version == MQTTProtocolVersion.MQTTv311:  # the last that we try
                self.loss.closed()
            return
        self.loss.ended(reason.value, str(reason))

    def _on_log(self, _client: Client, _userdata: Any, _level: int, text: str) -> None:
        self.loss.alerted(text)

    def _on_subscribe(
        self, _client: Client, _userdata: Any, packet_id: int, reasons: Any, _properties: Any
    ) -> None:
        self._in_flight.subscribed(packet_id, reasons)

    def _on_publish(
        self, _client: Client, _userdata: Any, packet_id: int, reason: Any, _properties: Any
    ) -> None:
        self._in_flight.published(packet_id, reason)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        # paho's payload is bytes already; deliveries that nobody asked for find no handler.
        payload = bytes(message.payload)
        self._state.router.deliver(Message(message.topic, payload, message.retain))


def _set_nodelay(_client: Client, _userdata: Any, sock: Any) -> None:
    """Nagle's algorithm and delayed ACKs would cost 40 ms a hop (docs/benchmarks/transport.md)."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _write_later(_client: Client, _userdata: Any, _sock: Any) -> None:
    """Keep paho from writing each packet by itself: its loop writes all there are at once."""


def _disconnect(client: Client, *_: Any) -> None:
    client.disconnect()
