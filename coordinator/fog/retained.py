"""The retained messages of the coordinator: published only when they say something new; pure."""

from collections import deque
from typing import Final

from broker.actions import Publish
from broker.messages import Payload
from broker.topics import Topic

_ECHOES: Final = 16
_AGAIN_S: Final = 1.0


class Retained:
    """What was published last on every topic of a site that the coordinator writes."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._last: dict[str, bytes] = {}
        self._echoes: dict[str, deque[bytes]] = {}
        self._not_before: dict[str, float] = {}

    def publish(self, topic: Topic, message: Payload, **names: str) -> list[Publish]:
        """Return the message, unless it was the last on its topic already."""
        text, payload = topic.at(self._site, **names), message.encode()
        if self._last.get(text) == payload:
            return []
        return [self._published(text, payload)]

    def clear(self, topic: Topic, **names: str) -> list[Publish]:
        """Return what clears a topic, whoever wrote it."""
        text = topic.at(self._site, **names)
        self._last.pop(text, None)
        self._echoes.pop(text, None)
        return [Publish(text, b"", retain=True)]

    def published(self, topic: Topic, **names: str) -> bool:
        """Return whether anything was published on a topic and not cleared since."""
        return topic.at(self._site, **names) in self._last

    def connected(self) -> None:
        """Take note of a new connection: echoes of what was sent before do not come any more."""
        self._echoes.clear()

    def heard(self, topic: Topic, payload: bytes, now: float, **names: str) -> list[Publish]:
        """Return our last message on a topic again where another coordinator wrote over it.

        One that was cut off publishes what it retained when it is back, before it knows better. Once
        a second at most, lest two that do not know better keep each other busy.
        """
        text = topic.at(self._site, **names)
        echoes = self._echoes.get(text, deque())
        if payload in echoes:
            while echoes.popleft() != payload:
                pass  # an echo that did not come
            return []
        last = self._last.get(text)
        if not payload or last is None or payload == last or now < self._not_before.get(text, now):
            return []
        self._not_before[text] = now + _AGAIN_S
        return [self._published(text, last)]

    def _published(self, text: str, payload: bytes) -> Publish:
        self._last[text] = payload
        self._echoes.setdefault(text, deque(maxlen=_ECHOES)).append(payload)
        return Publish(text, payload, retain=True)
