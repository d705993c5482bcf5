"""What carries the messages that ``benchmarks.transport`` counts: our bus, and bare paho."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.url import BrokerUrl

Arrive = Callable[[bytes], None]
_SECONDS = 10.0


class Publish(Protocol):
    """Send one message of the stream."""

    def __call__(self, payload: bytes) -> object:
        """Send ``payload``."""


class Carrier(Protocol):
    """Connects a publisher and a subscriber, each with a connection of its own."""

    def __call__(self, url: str, topic: str, arrive: Arrive) -> AbstractContextManager[Publish]:
        """Have ``arrive`` called for what is published to ``topic``."""


@contextmanager
def bare_paho(url: str, topic: str, arrive: Arrive, *, nodelay: bool = True) -> Iterator[Publish]:
    """Two paho clients with their own threads, and nothing around them."""
    address, ready = BrokerUrl.parse(url), threading.Barrier(3)

    def open_socket(_client: Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(nodelay))

    def connected(client: Client, *_: Any) -> None:
        client.subscribe(topic if client is subscriber else f"{topic}/none", 1)

    def subscribed(*_: Any) -> None:
        ready.wait(_SECONDS)

    def message(_client: Client, _userdata: Any, received: MQTTMessage) -> None:
        arrive(bytes(received.payload))

    version = MQTTProtocolVersion.MQTTv5 if _speaks_5(url) else MQTTProtocolVersion.MQTTv311
    publisher, subscriber = (
        Client(CallbackAPIVersion.VERSION2, f"bench-{role}", protocol=version)
        for role in ("publisher", "subscriber")
    )
    for client in (publisher, subscriber):
        client.on_socket_open, client.on_connect = open_socket, connected
        client.on_subscribe, client.on_message = subscribed, message
        client.connect(address.host, address.port)
        client.loop_start()
    ready.wait(_SECONDS)
    try:
        yield lambda payload: publisher.publish(topic, payload)
    finally:
        for client in (publisher, subscriber):
            client.disconnect()
            client.loop_stop()


@contextmanager
def bus(url: str, topic: str, arrive: Arrive) -> Iterator[Publish]:
    """Two of our buses; the handler is told on the bus's thread."""
    publisher = MqttBus.connect(url, "bench-publisher")
    subscriber = MqttBus.connect(url, "bench-subscriber")
    ready = threading.Event()
    subscriber.subscribe(topic, lambda message: arrive(message.payload))
    subscriber.subscribe(f"{topic}/ready", lambda _: ready.set())
    subscriber.publish(f"{topic}/ready", b"")
    if not ready.wait(_SECONDS):
        raise TimeoutError("the broker does not echo")
    try:
        yield lambda payload: publisher.publish(topic, payload, stream=True)
    finally:
        publisher.close()
        subscriber.close()


@contextmanager
def bus_and_inbox(url: str, topic: str, arrive: Arrive) -> Iterator[Publish]:
    """Two of our buses; the handler hands over to a loop of its own, as the parts do."""
    inbox: Inbox[bytes | None] = Inbox(stream_limit=1024)

    def loop() -> None:
        while (payload := inbox.get()) is not None:
            arrive(payload)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    with bus(url, topic, inbox.offer) as publish:
        yield publish
    inbox.put(None)
    thread.join(_SECONDS)


def _speaks_5(url: str) -> bool:
    """Return whether the broker takes MQTT 5, so that both sides are measured with the same."""
    address, answer = BrokerUrl.parse(url), threading.Event()
    verdict: list[bool] = []

    def connected(_client: Client, _userdata: Any, _flags: Any, reason: Any, _more: Any) -> None:
        verdict.append(not reason.is_failure)
        answer.set()

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_connect = connected
    client.connect(address.host, address.port)
    client.loop_start()
    answer.wait(_SECONDS)
    client.disconnect()
    client.loop_stop()
    return bool(verdict and verdict[0])
