"""What was last said on each retained topic, so that nothing is said twice; pure."""

from broker.actions import Publish
from broker.messages import Payload
from broker.topics import Topic


class Retained:
    """The last word on every topic of a site that we write."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._said: dict[str, bytes] = {}

    def publish(self, topic: Topic, message: Payload, **names: str) -> list[Publish]:
        """Return the message, unless it was the last word on its topic already."""
        text, payload = topic.at(self._site, **names), message.encode()
        if self._said.get(text) == payload:
            return []
        self._said[text] = payload
        return [Publish(text, payload, retain=True)]

    def clear(self, topic: Topic, **names: str) -> list[Publish]:
        """Return what clears a topic, whoever wrote it."""
        text = topic.at(self._site, **names)
        self._said.pop(text, None)
        return [Publish(text, b"", retain=True)]

    def said(self, topic: Topic, **names: str) -> bool:
        """Return whether anything was said on a topic."""
        return topic.at(self._site, **names) in self._said
