"""What the demo itself hears on the broker."""

import time
from dataclasses import dataclass, field

from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.messages import ONLINE, Status
from broker.topics import COORDINATOR_STATE, NODE_INFO, RESULT, STATUS


@dataclass(slots=True)
class Watch:
    """Who is there, what serves, and how many answers came."""

    bus: Bus
    site: str
    inbox: Inbox[Message] = field(default_factory=Inbox)
    nodes: set[str] = field(default_factory=set)
    coordinator: bool = False
    placements: dict[int, dict[str, str]] = field(default_factory=dict)
    standbys: dict[int, str] = field(default_factory=dict)
    answers: int = 0
    epoch: int = 0
    served_at: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for topic in (NODE_INFO, STATUS, RESULT):
            self.bus.subscribe(topic.every(self.site), self.inbox.put)
        self.bus.subscribe(COORDINATOR_STATE.at(self.site), self.inbox.put)

    def hear(self, timeout_s: float) -> bool:
        """Take one message; return whether one came in time."""
        message = self.inbox.get(timeout_s)
        if message is None:
            return False
        if RESULT.names(message.topic):
            self.answers += 1
        elif (names := NODE_INFO.names(message.topic)) and message.payload:
            self.nodes.add(names["node"])
        elif COORDINATOR_STATE.names(message.topic) is not None:
            self.coordinator = message.payload == ONLINE
        elif STATUS.names(message.topic) and message.payload:
            status = Status.decode(message.payload)
            if status.phase == "serving":
                self.epoch = status.epoch
                self.placements[status.epoch] = status.placement
                self.standbys[status.epoch] = status.standby
                self.served_at.setdefault(status.epoch, time.time())
        return True
