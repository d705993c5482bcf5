"""A device on paho itself, MQTT 5: what the broker answers is what the tests are about."""

import queue
import socket
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

SECONDS = 10.0


class Device:
    """One connection to a closed broker on 127.0.0.1."""

    def __init__(self, port: int, ca: str, client_id: str, user: str | None, password: str) -> None:
        self.messages: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self.accepted: int | None = None
        self.parted = threading.Event()
        self._accepted = threading.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.tls_set_context(ssl.create_default_context(cadata=ca))
        self.client.max_inflight_messages_set(1000)
        if user is not None:
            self.client.username_pw_set(user, password)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self._port = port

    def connect(self) -> Self:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        assert self._accepted.wait(SECONDS)
        return self

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def write(
        self, topics: Sequence[str], payload: bytes = b"x", *, retain: bool = False
    ) -> list[bool]:
        """Publish to topics; return of each whether the broker took it."""
        numbers = [self.client.publish(topic, payload, 1, retain).mid for topic in topics]
        return self._answered(numbers)

    def read(self, filters: Sequence[str]) -> list[bool]:
        """Subscribe to filters; return of each whether the broker let us."""
        numbers = [self.client.subscribe(each, 1)[1] or 0 for each in filters]
        return self._answered(numbers)

    def drop(self) -> None:
        """Lose the connection without a goodbye."""
        sock: Any = self.client.socket()
        sock.shutdown(socket.SHUT_RDWR)

    def heard(self) -> MQTTMessage:
        return self.messages.get(timeout=SECONDS)

    def _answered(self, numbers: list[int]) -> list[bool]:
        codes = dict(self.answers.get(timeout=SECONDS) for _ in numbers)
        return [codes[number] < 0x80 for number in numbers]

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        self.accepted = reason.value
        self._accepted.set()

    def _on_disconnect(self, *_: Any) -> None:
        self._accepted.set()
        self.parted.set()

    def _on_publish(self, _client: Client, _data: Any, number: int, reason: Any, _p: Any) -> None:
        self.answers.put((number, reason.value))

    def _on_subscribe(
        self, _client: Client, _data: Any, number: int, reasons: Any, _p: Any
    ) -> None:
        self.answers.put((number, reasons[0].value))
