"""Collects what a site says, some of every topic: what hostile messages are made of."""

import threading
from collections import defaultdict
from functools import partial
from typing import Final

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.topics import TOPICS, Topic

_KEPT: Final = 40
_LARGEST: Final = 20_000


class Spy:
    """Listens to a whole site; of every topic it keeps what came first."""

    def __init__(self, bus: MqttBus, site: str) -> None:
        self._seen: dict[Topic, list[Message]] = defaultdict(list)
        self._lock = threading.Lock()
        for topic in TOPICS:
            bus.subscribe(topic.every(site), partial(self._hear, topic))

    def seen(self) -> dict[Topic, list[Message]]:
        """Return the messages so far, by topic."""
        with self._lock:
            return {topic: list(messages) for topic, messages in self._seen.items()}

    def _hear(self, topic: Topic, message: Message) -> None:
        with self._lock:
            kept = self._seen[topic]
            if len(kept) < _KEPT and 0 < len(message.payload) <= _LARGEST:
                kept.append(message)
