"""What a broker was sent and has not answered yet; no I/O."""

from collections.abc import Sequence
from typing import Any, Final

from broker.bus.outbox import Outbox, Outgoing
from broker.bus.refusals import Refusals
from broker.bus.seam import NotAllowedError

_TRIED: Final = 1024


class InFlight:
    """Messages and subscriptions by their packet ids, and what their answers say of our rights.

    Only a message of QoS 1 is answered with a reason. So that a right that is missing shows for
    the stream too, which goes with QoS 0, its first message on each topic is to go with QoS 1.
    """

    def __init__(self, outbox: Outbox, refusals: Refusals) -> None:
        self._outbox, self._refusals = outbox, refusals
        self._messages: dict[int, Outgoing] = {}
        self._tried: set[str] = set()  # topics of the stream
        self.control = 0
        """How many control messages wait for an answer."""
        self.subscriptions: dict[int | None, list[str]] = {}

    @property
    def unacknowledged(self) -> list[Outgoing]:
        """Control messages that the broker may not have."""
        return [message for message in self._messages.values() if not message.stream]

    @property
    def messages(self) -> bool:
        """Whether messages wait for an answer."""
        return bool(self._messages)

    def qos(self, message: Outgoing) -> int:
        """Return how ``message`` is to go: 1 for control, and for the first of a topic."""
        return 0 if message.stream and message.topic in self._tried else 1

    def sent(self, packet_id: int, message: Outgoing) -> None:
        """Take note of a message with QoS 1."""
        self._messages[packet_id] = message
        if not message.stream:
            self.control += 1
            return
        if len(self._tried) >= _TRIED:
            self._tried.clear()
        self._tried.add(message.topic)

    def published(self, packet_id: int, reason: Any) -> None:
        """Take the answer to a message; one with QoS 0 is not known and has none."""
        message = self._messages.pop(packet_id, None)
        if message is None:
            return
        if not message.stream:
            self.control -= 1
        if reason.is_failure:
            self._refusals.note(NotAllowedError(message.topic, "write", str(reason)))
        elif not message.stream:
            self._outbox.acknowledge(message)

    def subscribed(self, packet_id: int, reasons: Sequence[Any]) -> None:
        """Take the answer to a subscription."""
        filters = self.subscriptions.pop(packet_id, [])
        for topic_filter, reason in zip(filters, reasons, strict=False):
            if reason.is_failure:
                self._refusals.note(NotAllowedError(topic_filter, "read", str(reason)))
