"""What comes in at the coordinator: sized up before it is queued, and queued by who wrote it."""

from collections.abc import Callable
from typing import Final, Protocol

from broker.bus.seam import Message
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import Active, Assignment, Beat, NodeInfo, Report, Spec, Status
from broker.ranges import MOST_CHUNK_BYTES
from broker.topics import (
    ACTIVE,
    CLIENT_GIVE,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_GIVE,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    SPEC,
    STATUS,
    Topic,
)

_CHUNK: Final = MOST_CHUNK_BYTES + 128 * 1024
_STATE: Final = 64
MOST_BYTES: Final[dict[Topic, int]] = {
    NODE_BEAT: Beat.MOST_BYTES,
    NODE_STATE: _STATE,
    NODE_INFO: NodeInfo.MOST_BYTES,
    NODE_REPORT: Report.MOST_BYTES,
    NODE_ASSIGNMENT: Assignment.MOST_BYTES,
    NODE_GIVE: _CHUNK,
    CLIENT_GIVE: _CHUNK,
    COORDINATOR_STATE: _STATE,
    COORDINATOR_BEAT: CoordinatorBeat.MOST_BYTES,
    SPEC: Spec.MOST_BYTES,
    ACTIVE: Active.MOST_BYTES,
    STATUS: Status.MOST_BYTES,
}
"""The largest payload by topic."""


class Offer(Protocol):
    """:meth:`~broker.bus.fair_inbox.FairInbox.offer`."""

    def __call__(self, writer: str, item: Message, size: int, *, known: bool) -> None:
        """Take a message into a lane."""


class Intake:
    """Sorts messages into lanes: ``offer`` takes a lane, a message, its size and whether its writer is known.

    ``known(kind, name)`` tells who is no stranger.

    What a node beats has a lane of its own: nothing else that comes under its name holds it up.
    """

    def __init__(self, offer: Offer, known: Callable[[str, str], bool]) -> None:
        self._offer, self._known = offer, known
        self.too_large = 0

    def hear(self, message: Message) -> None:
        """Take a message, on the bus's thread."""
        for topic, most in MOST_BYTES.items():
            names = topic.names(message.topic)
            if names is None:
                continue
            size = len(message.payload)
            if size > most:
                self.too_large += 1
                return
            kind, name = next(iter(names.items()), ("coordinator", ""))
            lane = "beat" if topic is NODE_BEAT else kind
            known = self._known(kind, name)
            self._offer(f"{lane}/{name}", message, size, known=known)
            return
