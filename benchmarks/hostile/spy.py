"""Collects what a site says, some of every topic: what hostile messages are made of."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.topics import TOPICS, Topic

_KEPT: Final = 40
_LARGEST: Final = 20_000


class Spy:
    """Listens to a whole site; of every topic it keeps what came first."""

    def __init__(self, heard: Sequence[tuple[MqttBus, Sequence[str]]]) -> None:
        self._seen: dict[Topic, list[Message]] = defaultdict(list)
        self._lock = threading.Lock()
        self._buses = [bus for bus, _ in heard]
        for bus, filters in heard:
            for topic_filter in filters:
                bus.subscribe(topic_filter, self._hear)

    def seen(self) -> dict[Topic, list[Message]]:
        """Return the messages so far, by topic."""
        with self._lock:
            return {topic: list(messages) for topic, messages in self._seen.items()}

    def close(self) -> None:
        """Listen no more."""
        for bus in self._buses:
            bus.close()

    def _hear(self, message: Message) -> None:
        if not 0 < len(message.payload) <= _LARGEST:
            return
        topic = next(topic for topic in TOPICS if topic.names(message.topic) is not None)
        with self._lock:
            kept = self._seen[topic]
            if len(kept) < _KEPT:
                kept.append(message)
