"""A whole site that decides for real without a broker: several coordinators, fog nodes, retained messages.

Coordinators can be killed, frozen and cut off, and come back with an empty folder; nodes can die.
Artifacts go from whoever has them to whoever asks, sessions load at once, nothing is computed.
"""

import logging
from collections import deque
from dataclasses import dataclass, field

from broker.actions import Publish, Stop
from broker.artifacts import chunk_of, sha256_of
from broker.bus.seam import Message
from broker.codec import encode_chunk
from broker.messages import OFFLINE, ONLINE, ArtifactRequest, Beat
from broker.topics import (
    CLIENT_GIVE,
    COORDINATOR_GET,
    COORDINATOR_STATE,
    NODE_ARTIFACT,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_GET,
    NODE_GIVE,
    NODE_INFO,
    NODE_STATE,
)
from coordinator.fog.actions import Action, Keep, Place
from coordinator.fog.controller import Controller
from coordinator.fog.failures import Failures
from coordinator.fog.placing import Job, carried_out
from fog_node.agent import Agent
from fog_node.events import Absent, Arrived, Event, Give, Load, Loaded
from models.bundle import Bundle
from tests.coordinator.fog.toys import SITE, gone, info

TICK_S = 0.5


@dataclass
class Coordinator:
    """One coordinator, its folder, and what its bus would publish again after a reconnect."""

    controller: Controller
    kept: dict[str, bytes]
    retained: dict[str, bytes] = field(default_factory=dict)
    backlog: deque[Message] = field(default_factory=deque)
    frozen_at: float | None = None
    cut: bool = False
    ended: bool = False
    questions: int = 0


class ToySite:
    """A site of so many nodes."""

    def __init__(self, nodes: str, of: Bundle) -> None:
        self.now = 0.0
        self.retained: dict[str, bytes] = {}
        self.coordinators: dict[int, Coordinator] = {}
        self.agents: dict[str, Agent] = {}
        self.disks: dict[str, dict[str, bytes]] = {}
        self.client: dict[str, bytes] = {}
        self._parts = {part.sha256: part for part in of.partitions}
        self._of = of
        self._queue: deque[Message] = deque()
        for node in nodes:
            self.start_node(node, 1)

    # --- what happens -----------------------------------------------------------------------

    def start_node(self, node: str, session: int) -> None:
        """Start a node, its disk as it was."""
        self.disks.setdefault(node, {})
        agent = self.agents[node] = Agent(node, SITE, session, 10**6)
        self.publish(NODE_INFO.at(SITE, node=node), info(node, session).encode(), retain=True)
        self.publish(NODE_STATE.at(SITE, node=node), ONLINE, retain=True)
        told = self.retained.get(NODE_ASSIGNMENT.at(SITE, node=node))
        if told is not None:
            self._happen(node, agent, Arrived(Message(NODE_ASSIGNMENT.at(SITE, node=node), told)))

    def kill_node(self, node: str) -> None:
        """Kill a node; the broker speaks its will."""
        if self.agents.pop(node, None) is not None:
            self.publish(gone(node).topic, OFFLINE, retain=True)

    def start_coordinator(self, number: int, session: int) -> None:
        """Start a coordinator with an empty folder, unless it runs."""
        running = self.coordinators.get(number)
        if running is not None and not running.ended:
            return
        kept: dict[str, bytes] = {}

        def has(sha256: str, size: int) -> bool:
            return len(kept.get(sha256, b"")) == size

        failures = Failures(logging.getLogger("test"))
        controller = Controller(SITE, session, has, failures)
        self.coordinators[number] = Coordinator(controller, kept)
        self._connect(self.coordinators[number])

    def kill_coordinator(self, number: int) -> None:
        """Kill a coordinator; the broker speaks its will."""
        coordinator = self.coordinators.get(number)
        if coordinator is not None and not coordinator.ended:
            coordinator.ended = True
            self.publish(COORDINATOR_STATE.at(SITE), OFFLINE, retain=True)

    def freeze(self, number: int) -> None:
        """Stop a coordinator; its connection stands."""
        coordinator = self.coordinators.get(number)
        if coordinator is not None and coordinator.frozen_at is None:
            coordinator.frozen_at = self.now

    def cut_off(self, number: int) -> None:
        """Cut a coordinator's connection; the broker speaks its will."""
        coordinator = self.coordinators.get(number)
        if coordinator is not None and not (coordinator.cut or coordinator.ended):
            coordinator.cut = True
            self.publish(COORDINATOR_STATE.at(SITE), OFFLINE, retain=True)

    def heal(self, number: int) -> None:
        """Wake a coordinator, and give it its connection back."""
        coordinator = self.coordinators.get(number)
        if coordinator is None or coordinator.ended:
            return
        if coordinator.frozen_at is not None:
            for_s, coordinator.frozen_at = self.now - coordinator.frozen_at, None
            coordinator.controller.held_up(self.now, for_s)
            while coordinator.backlog:
                self._handle(coordinator, coordinator.backlog.popleft())
        if coordinator.cut:
            coordinator.cut = False
            self._connect(coordinator)
        self._settle()

    def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        until = self.now + seconds
        while self.now < until:
            self.now += TICK_S
            for node, agent in list(self.agents.items()):
                for action in agent.tick(self.now):
                    self._perform_node(node, agent, action)
                if self.now % 1.0 == 0:
                    beat = Beat(
                        session=agent.session, sequence=1, epoch=0, load=0, queues={}, counters={}
                    )
                    self.publish(NODE_BEAT.at(SITE, node=node), beat.encode())
            for coordinator in self.coordinators.values():
                if coordinator.frozen_at is None and not coordinator.ended:
                    if self.now % 1.0 == 0:
                        self._perform(coordinator, coordinator.controller.beat())
                    if not coordinator.cut:
                        self._perform(coordinator, coordinator.controller.tick(self.now))
            self._settle()

    # --- the broker -------------------------------------------------------------------------

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish a message, and have everybody hear it and what follows from it."""
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        self._queue.append(Message(topic, payload))
        self._settle()

    def _settle(self) -> None:
        while self._queue:
            message = self._queue.popleft()
            for coordinator in list(self.coordinators.values()):
                if coordinator.frozen_at is not None:
                    coordinator.backlog.append(message)
                elif not coordinator.cut:
                    self._handle(coordinator, message)
            self._to_nodes(message)
            if message.topic == COORDINATOR_GET.at(SITE):
                self._to_client(ArtifactRequest.decode(message.payload))

    def _to_nodes(self, message: Message) -> None:
        for pattern in (NODE_ASSIGNMENT, NODE_ARTIFACT):
            names = pattern.names(message.topic)
            if names is not None and names["node"] in self.agents:
                self._happen(names["node"], self.agents[names["node"]], Arrived(message))
        if message.topic == COORDINATOR_GET.at(SITE):
            for node, agent in list(self.agents.items()):
                self._happen(node, agent, Arrived(message))

    def _to_client(self, request: ArtifactRequest) -> None:
        if not request.holder and request.sha256 in self.client:
            chunk = chunk_of(self.client[request.sha256], request)
            assert chunk is not None
            self._queue.append(Message(CLIENT_GIVE.at(SITE, client="deploy"), encode_chunk(chunk)))

    # --- the coordinators -------------------------------------------------------------------

    def _connect(self, coordinator: Coordinator) -> None:
        coordinator.controller.connected(self.now)
        for topic, payload in list(self.retained.items()):
            self._handle(coordinator, Message(topic, payload, retain=True))
        for topic, payload in list(coordinator.retained.items()):
            self.publish(topic, payload, retain=True)

    def _handle(self, coordinator: Coordinator, message: Message) -> None:
        if coordinator.ended:
            return
        names = NODE_GET.names(message.topic)
        if names is not None and coordinator.controller.tenure.acts:
            self._give(coordinator, names["node"], ArtifactRequest.decode(message.payload))
        self._perform(coordinator, coordinator.controller.handle(message, self.now))

    def _give(self, coordinator: Coordinator, node: str, request: ArtifactRequest) -> None:
        data = coordinator.kept.get(request.sha256)
        if data is None:
            self._perform(coordinator, coordinator.controller.lost(request.sha256, self.now))
            return
        chunk = chunk_of(data, request)
        assert chunk is not None
        self._queue.append(Message(NODE_ARTIFACT.at(SITE, node=node), encode_chunk(chunk)))

    def _perform(self, coordinator: Coordinator, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Publish(topic, payload, retain):
                    if retain:
                        coordinator.retained.pop(topic, None)
                        if payload:
                            coordinator.retained[topic] = payload
                    if not coordinator.cut:
                        if retain and payload:
                            self.retained[topic] = payload
                        elif retain:
                            self.retained.pop(topic, None)
                        self._queue.append(Message(topic, payload))
                case Keep(data):
                    coordinator.kept[sha256_of(data)] = data
                case Place(name, question):
                    coordinator.questions += 1
                    coordinator.controller.asked(name, coordinator.questions)
                    job = Job(name, coordinator.questions, question.request, question.present)
                    answer = carried_out(job)
                    self._perform(coordinator, coordinator.controller.placed(answer, self.now))
                case Stop():
                    coordinator.ended = True

    # --- the nodes --------------------------------------------------------------------------

    def _happen(self, node: str, agent: Agent, event: Event) -> None:
        for action in agent.handle(event, self.now):
            self._perform_node(node, agent, action)

    def _perform_node(self, node: str, agent: Agent, action: object) -> None:
        disk = self.disks[node]
        match action:
            case Load(sha256, data):
                if data is not None:
                    disk[sha256] = data
                if sha256 in disk:
                    part = self._parts[sha256]
                    names = frozenset(part.inputs), frozenset(part.outputs)
                    self._happen(node, agent, Loaded(sha256, *names, 0.01))
                else:
                    self._happen(node, agent, Absent(sha256))
            case Give(request):
                if request.sha256 in disk:
                    chunk = chunk_of(disk[request.sha256], request)
                    assert chunk is not None
                    give = Message(NODE_GIVE.at(SITE, node=node), encode_chunk(chunk))
                    self._queue.append(give)
            case Publish(topic, payload, retain):
                if retain:
                    self.retained[topic] = payload
                self._queue.append(Message(topic, payload))
