"""The one seam between the parts and whatever carries their messages.

``MqttBus`` (paho) and ``MemoryBus`` (shipped; tests and examples use it) stand behind it, and one
parametrised test holds both to the same behaviour. Handlers run on the bus's own thread and may
only take note, which is what an :class:`~broker.bus.inbox.Inbox` is for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

MAX_PAYLOAD_BYTES: Final = 4 * 1024 * 1024 - 4096
"""The largest payload that a bus publishes: mosquitto.conf's packet size less room for the topic."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us, retained, when we are gone without a word."""

    topic: str
    payload: bytes


Handler = Callable[[Message], None]
Right = Literal["read", "write"]


class BusError(Exception):
    """The root of what a bus raises."""


class BrokerUnreachableError(BusError):
    """No broker answered at this address."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"no broker at {url} ({reason})")


class BrokerRefusedError(BusError):
    """The broker is there and does not take us, or we do not take it: somebody has to do something."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"refused by {url}: {reason}")


class TakenOverError(BusError):
    """Our connection ended, by another one with our client id as far as we know."""

    def __init__(self, client_id: str, reason: str) -> None:
        self.client_id, self.reason = client_id, reason
        super().__init__(
            f"the connection as {client_id} ended ({reason}); if another command of this user was "
            "started meanwhile, run one at a time, or have a second user enrolled: fog-broker enrol"
        )


class NotAllowedError(BusError):
    """The broker does not let us write, or read, a topic: ``right`` is what is missing."""

    def __init__(self, topic: str, right: Right, reason: str) -> None:
        self.topic, self.right, self.reason = topic, right, reason
        super().__init__(
            f"the broker refused the right to {right} {topic} ({reason}); "
            "which role has which rights stands in docs/security.md"
        )


class PayloadTooLargeError(BusError):
    """A payload that no broker of ours would take; sending it would make the client loop."""

    def __init__(self, topic: str, size: int) -> None:
        self.topic, self.size = topic, size
        super().__init__(
            f"{size} bytes for {topic} are more than the {MAX_PAYLOAD_BYTES} a message may have"
        )


class Bus(Protocol):
    """Publish and subscribe."""

    @property
    def connected(self) -> bool:
        """Whether the broker hears us now."""

    @property
    def dropped(self) -> int:
        """Messages given up so far because the way out was full or there was none.

        They are of the stream, unless a thousand control messages wait for a connection.
        """

    @property
    def refused(self) -> int:
        """Messages and subscriptions that the broker did not allow, as far as it says so."""

    def on_refusal(self, listener: Callable[[BusError], None]) -> None:
        """Call ``listener`` with every NotAllowedError and TakenOverError, on the bus's thread.

        A listener that comes later is told of those before.
        """

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        """Call ``handler`` for every message that matches, from now on and after every reconnect.

        One handler per filter; a second call with the same filter replaces the first. Messages
        that match none of our filters (some brokers send such) are dropped. Filters of one bus
        should not overlap: brokers differ in whether a message then comes once or once per filter.
        """

    def unsubscribe(self, topic_filter: str) -> None:
        """Stop what :meth:`subscribe` began."""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, stream: bool = False
    ) -> None:
        """Send a message; never blocks.

        Control messages (the default) go with QoS 1 and wait for a connection, those retained
        being sent again on every connect, the last per topic (an empty payload clears it).
        ``stream`` messages go with QoS 0 through a bounded queue, the newest win, and what is
        dropped is counted.

        Raises:
            PayloadTooLargeError: more than ``MAX_PAYLOAD_BYTES``.
        """

    def on_connection(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` with True on every connect and False on every loss, on the bus's thread.

        A listener that comes while there is a connection is told of that one too.
        """

    def renew(self) -> None:
        """Give the connection up and make a new one: it seems to be open in one direction only."""

    def close(self) -> None:
        """Say goodbye without the will and stop."""
