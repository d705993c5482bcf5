"""The retained messages of a part: published only when they say something new, and defended; pure.

Whoever reads another's word, or nothing any more, on a retained topic of its own says its own again.
"""

from collections import deque
from typing import Final

from broker.actions import Publish
from broker.payload import Payload
from broker.topics import Topic

_ECHOES: Final = 16
_AGAIN_S: Final = 1.0


class Retained:
    """What was published last on every topic of a site that one part writes."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._last: dict[str, bytes] = {}
        self._echoes: dict[str, deque[bytes]] = {}
        self._foreign: set[str] = set()
        self._not_before = 0.0

    def publish(self, topic: Topic, message: Payload, **names: str) -> list[Publish]:
        """Return the message, unless it was the last on its topic already."""
        text, payload = topic.at(self._site, **names), message.encode()
        if self._last.get(text) == payload:
            return []
        return [self.say(text, payload)]

    def say(self, text: str, payload: bytes) -> Publish:
        """Return what publishes this on a topic in its full form, and defend it from now on."""
        self._last[text] = payload
        self._expect(text, payload)
        return Publish(text, payload, retain=True)

    def clear(self, topic: Topic, **names: str) -> list[Publish]:
        """Return what clears a topic, whoever wrote it."""
        text = topic.at(self._site, **names)
        self._last.pop(text, None)
        self._foreign.discard(text)
        self._echoes.pop(text, None)
        return [Publish(text, b"", retain=True)]

    def interject(self, topic: Topic, message: Payload, **names: str) -> list[Publish]:
        """Return a message that is to be heard once, and what was published last after it, if anything was."""
        text, payload = topic.at(self._site, **names), message.encode()
        last = self._last.get(text)
        self._expect(text, payload)
        said = [Publish(text, payload, retain=True)]
        return said if last is None else [*said, self.say(text, last)]

    def published(self, topic: Topic, **names: str) -> bool:
        """Return whether anything was published on a topic and not cleared since."""
        return topic.at(self._site, **names) in self._last

    def connected(self) -> None:
        """Take note of a new connection: echoes of what was sent before do not come any more."""
        self._echoes.clear()

    def heard(self, topic: Topic, payload: bytes, **names: str) -> bool:
        """Take note of a message on one of these topics; return False if it is our own echo."""
        return self.heard_at(topic.at(self._site, **names), payload)

    def heard_at(self, text: str, payload: bytes) -> bool:
        """Take note of a message on a topic in its full form; return False if it is our own echo."""
        echoes = self._echoes.get(text, deque())
        foreign = payload not in echoes
        if not foreign:
            while echoes.popleft() != payload:
                pass  # an echo that did not come
        elif text in self._last:
            self._foreign.add(text)
        if payload == self._last.get(text):
            self._foreign.discard(text)
        return foreign

    def again(self, now: float) -> list[Publish]:
        """Return our last messages on the topics that somebody else wrote over, or cleared.

        A part that was cut off publishes what it retained when it is back, before it knows better. Once
        a second at most, lest two that do not know better keep each other busy.
        """
        if not self._foreign or now < self._not_before:
            return []
        self._not_before = now + _AGAIN_S
        foreign, self._foreign = self._foreign, set()
        return [self.say(text, self._last[text]) for text in sorted(foreign & self._last.keys())]

    def _expect(self, text: str, payload: bytes) -> None:
        self._echoes.setdefault(text, deque(maxlen=_ECHOES)).append(payload)
