"""amqtt as the embedded broker: anonymous, quiet, without topics of its own."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from typing import Any, Final, Self

from amqtt.broker import Broker
from amqtt.errors import BrokerError
from amqtt.mqtt.connect import ConnectPacket, ConnectPayload

from broker.bus.allocator import keep_large_buffers
from broker.engine.address import EngineError

# The sys plugin publishes statistics, the logging plugins every packet: neither is wanted.
_PLUGINS: Final = {
    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
}
_MQTT_3_1_1: Final = 4
_SHUTDOWN_SECONDS: Final = 0.5


class _ForeignPayload(ConnectPayload):  # type: ignore[misc]  # amqtt is untyped
    """What follows in a CONNECT of another version of MQTT.

    amqtt reads it as if it were 3.1.1 and, where MQTT 5 has a will, waits for bytes that never come;
    left unread, the client is told at once that it is to speak 3.1.1.
    """

    @classmethod
    async def from_stream(cls, reader: Any, fixed_header: Any, variable_header: Any) -> Self:
        if variable_header is None or variable_header.proto_level == _MQTT_3_1_1:
            payload: Self = await super().from_stream(reader, fixed_header, variable_header)
            return payload
        return cls(client_id="foreign", will_topic="", will_message=b"", username="", password="")


class _OwnRetainedBroker(Broker):  # type: ignore[misc]
    """Gives a client the retained messages of its own filters only.

    amqtt gives a new client those of everybody's. If meanwhile another client subscribes, its walk over
    all filters ends in a RuntimeError, and the new client with it: it is cut off, or stays and is deaf.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Any
    ) -> None:
        topic_filter, _ = subscription
        subscribers = self._subscriptions.get(topic_filter, [])
        if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)


def serve(host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve on ``host`` and ``port`` until SIGTERM or SIGINT.

    asyncio sets TCP_NODELAY on every connection by itself.

    Raises:
        EngineError: it did not start.
    """
    # A client that is killed, or that asks for MQTT 5 first, is no event here.
    for name in ("amqtt", "transitions", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    keep_large_buffers()
    ConnectPacket.PAYLOAD = _ForeignPayload
    asyncio.run(_serve(host, port, ready))


async def _serve(host: str, port: int, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    broker = _OwnRetainedBroker(
        {"listeners": {"default": {"type": "tcp", "bind": bind}}, "plugins": dict(_PLUGINS)}
    )
    try:
        await broker.start()
    except BrokerError as error:
        raise EngineError(f"the embedded broker did not start: {error}") from error
    ready()
    await stop.wait()
    # With clients connected it may wait for them for ever; they see the end of the process as well.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), _SHUTDOWN_SECONDS)
