"""A coordinator and fog nodes that decide for real, without a broker: what one publishes the others hear.

Sessions load at once; nothing is computed.
"""

from collections.abc import Mapping

from broker.actions import Publish
from broker.bus.seam import Message
from broker.topics import COORDINATOR_BEAT, NODE_ASSIGNMENT
from coordinator.fog.actions import Action
from fog_node.agent import Agent
from fog_node.events import Arrived, Event, Load, Loaded
from models.bundle import Bundle
from tests.coordinator.fog.desk import Desk
from tests.coordinator.fog.toys import SITE, artifacts, here, wish


class ToyFog:
    """Fog nodes with so much memory each (bytes), and their coordinator, which has these artifacts."""

    def __init__(self, memory: Mapping[str, int], *bundles: Bundle) -> None:
        self.desk = Desk()
        self.agents: dict[str, Agent] = {}
        self._parts = {part.sha256: part for of in bundles for part in of.partitions}
        for of in bundles:
            self.desk.kept.update(artifacts(of))
        for node, size in memory.items():
            self.agents[node] = Agent(node, SITE, 1, size)
            self._hear(*here(node, memory=size))

    def deploy(self, of: Bundle, revision: int) -> None:
        """Deploy a bundle, or the same again."""
        self._hear(wish(of, revision=revision))

    def lose(self, *messages: Message, node: str) -> None:
        """Take a node away, and tell of it."""
        del self.agents[node]
        self._hear(*messages)

    def pass_time(self, seconds: float) -> None:
        """Let time go by while all nodes beat."""
        for _ in range(int(seconds)):
            self._spread(self.desk.pass_time(1.0, *self.agents))
            for agent in self.agents.values():
                agent.tick(self.desk.now)

    def _hear(self, *messages: Message) -> None:
        self._spread(self.desk.hear(*messages))

    def _spread(self, actions: list[Action]) -> None:
        """Have the nodes hear what they are assigned, and the coordinator what they report."""
        published = [action for action in actions if isinstance(action, Publish)]
        for action in published:
            names = NODE_ASSIGNMENT.names(action.topic)
            if names is not None and names["node"] in self.agents:
                self._happen(names["node"], Arrived(Message(action.topic, action.payload)))

    def _happen(self, node: str, event: Event) -> None:
        for action in self.agents[node].handle(event, self.desk.now):
            if isinstance(action, Load):
                part = self._parts[action.sha256]
                names = frozenset(part.inputs), frozenset(part.outputs)
                self._happen(node, Loaded(part.sha256, *names, 0.01))
            elif isinstance(action, Publish) and action.topic != COORDINATOR_BEAT.at(SITE):
                self._hear(Message(action.topic, action.payload))
