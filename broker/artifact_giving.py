"""The coordinator gives artifacts to the fog nodes that ask: in turn, and no faster than a node can use.

The answer goes to the node that asked and nowhere else. One that asks for more than it takes, or for the
same over and over, costs the others nothing.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from broker.artifacts import ChunkGiver
from broker.bus.fair_inbox import FairInbox, FairLimits
from broker.bus.seam import Bus, Message
from broker.messages import ArtifactRequest
from broker.payload import MessageError
from broker.topics import NODE_ARTIFACT, NODE_GET, InvalidIdError, check_id

_log = logging.getLogger("artifacts")
WAITING: Final = 16
"""Requests of one node that may wait; it has four chunks in flight."""
AGAIN_S: Final = 0.5
"""Who asks for the same chunk sooner gets it once."""
_REMEMBERED: Final = 4096
_LIMITS: Final = FairLimits(lane=WAITING, lane_bytes=WAITING * 1024, lanes=2048)


class Repeats:
    """The chunks given lately; pure, ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self._given: OrderedDict[tuple[str, str, int], float] = OrderedDict()

    def is_news(self, node: str, request: ArtifactRequest, now: float) -> bool:
        """Return whether a node was not given this chunk just now."""
        key = node, request.sha256, request.offset
        if now - self._given.get(key, -AGAIN_S) < AGAIN_S:
            return False
        self._given.pop(key, None)
        self._given[key] = now
        if len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        return True


class GivingInTurn:
    """Answers requests on a thread of its own, one of every node after the other."""

    def __init__(self, bus: Bus, site: str, find: Callable[[str], bytes | None]) -> None:
        self._bus, self._site = bus, site
        self._giver = ChunkGiver(find)
        self._repeats = Repeats()
        self._inbox: FairInbox[tuple[str, bytes] | None] = FairInbox(_LIMITS)
        bus.subscribe(NODE_GET.every(site), self._hear)
        self._thread = threading.Thread(target=self._run, name="artifacts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._bus.unsubscribe(NODE_GET.every(self._site))
        self._inbox.put(None)
        self._thread.join()

    def _hear(self, message: Message) -> None:
        names = NODE_GET.names(message.topic)
        size = len(message.payload)
        if names is not None and size <= WAITING * 64:
            self._inbox.offer(names["node"], (names["node"], message.payload), size, known=True)

    def _run(self) -> None:
        while (asked := self._inbox.get()) is not None:
            try:
                self._answer(*asked)
            except Exception:  # noqa: BLE001  one request is to end no other
                _log.exception("an artifact could not be given; going on")

    def _answer(self, node: str, payload: bytes) -> None:
        try:
            check_id("node", node)
            request = ArtifactRequest.decode(payload)
        except (MessageError, InvalidIdError):
            return
        if not self._repeats.is_news(node, request, time.monotonic()):
            return
        chunk = self._giver.payload(request)
        if chunk is not None:
            self._bus.publish(NODE_ARTIFACT.at(self._site, node=node), chunk)


def answer_nodes(bus: Bus, site: str, find: Callable[[str], bytes | None]) -> GivingInTurn:
    """Answer every fog node that asks for an artifact which ``find`` returns, as the coordinator."""
    return GivingInTurn(bus, site, find)
