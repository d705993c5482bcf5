"""A controller at work without a bus: what it hears, what it said last, and the time that goes by."""

import json
import logging

from broker.actions import Publish
from broker.artifacts import sha256_of
from broker.bus.seam import Message
from broker.messages import Active, Assignment, Beat, Status
from broker.topics import ACTIVE, NODE_ASSIGNMENT, NODE_BEAT, STATUS
from coordinator.fog.actions import Action, Keep, Place, Save
from coordinator.fog.controller import Controller
from coordinator.fog.failures import Failures
from coordinator.fog.placing import Job, carried_out
from coordinator.fog.tenure import LISTEN_S
from models.bundle import Bundle
from tests.coordinator.fog.toys import NAME, SITE, artifacts, bundle, here, report, wish


class Desk:
    """A controller, the clock, and what it said last on every topic.

    It acts already; ``restored`` is what an earlier one kept, and with ``acts=False`` it still listens.
    """

    def __init__(
        self,
        *nodes: str,
        stored: Bundle | None = None,
        restored: Save | None = None,
        acts: bool = True,
        session: int = 100,
        wall_s: float = 0.0,
        operator_key: str | None = None,
    ) -> None:
        self.kept = dict(artifacts(stored)) if stored else {}
        self.failures = Failures(logging.getLogger("test"))
        self.controller = Controller(
            SITE, session, self.has, self.failures, wall_s, operator_key=operator_key
        )
        self.now = 0.0
        self.said: dict[str, bytes] = {}
        self.all: list[Action] = []
        self.questions, self.places = 0, True
        if restored is not None:
            self.controller.restore(json.loads(json.dumps(restored.state)))
        self.controller.connected(self.now)
        if acts:
            self.now = LISTEN_S
            self.take(self.controller.tick(self.now))
        for node in nodes:
            self.hear(*here(node))

    def has(self, sha256: str, size: int) -> bool:
        return len(self.kept.get(sha256, b"")) == size

    def take(self, actions: list[Action]) -> list[Action]:
        """Perform actions, with a placer that answers at once; return all that came of it."""
        done: list[Action] = []
        waiting = list(actions)
        while waiting:
            action = waiting.pop(0)
            done.append(action)
            if isinstance(action, Publish):
                self.said[action.topic] = action.payload
            if isinstance(action, Keep):
                self.kept[sha256_of(action.data)] = action.data
            if isinstance(action, Place) and self.places:
                self.questions += 1
                self.controller.asked(action.deployment, self.questions)
                job = Job(
                    action.deployment,
                    self.questions,
                    action.question.request,
                    action.question.present,
                )
                waiting += self.controller.placed(carried_out(job), self.now)
        self.all += done
        return done

    def hear(self, *messages: Message) -> list[Action]:
        return [a for m in messages for a in self.take(self.controller.handle(m, self.now))]

    def pass_time(self, seconds: float, *alive: str, fetching: bool = False) -> list[Action]:
        """Let time go by while these nodes beat; ``fetching`` gets them further all the while."""
        actions: list[Action] = []
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + 1.0)
            for node in alive:
                counters = {"chunks": int(self.now) // 10 if fetching else 0}
                pulse = Beat(session=1, sequence=1, epoch=0, load=0, queues={}, counters=counters)
                topic = NODE_BEAT.at(SITE, node=node)
                actions += self.hear(Message(topic, pulse.encode()))
            actions += self.beat()
            actions += self.take(self.controller.tick(self.now))
        return actions

    def beat(self) -> list[Action]:
        """Let the controller beat, and hear itself; return what follows."""
        beats = [action for action in self.controller.beat() if isinstance(action, Publish)]
        return self.hear(*(Message(action.topic, action.payload) for action in beats))

    def told(self, node: str, actions: list[Action]) -> list[tuple[str, int, str]]:
        """Return what a node was told: deployment, epoch and phase."""
        topic = NODE_ASSIGNMENT.at(SITE, node=node)
        words = [
            Assignment.decode(action.payload)
            for action in actions
            if isinstance(action, Publish) and action.topic == topic
        ]
        return [(word.deployment, word.epoch, word.phase) for word in words]

    def assignment(self, node: str) -> Assignment:
        return Assignment.decode(self.said[NODE_ASSIGNMENT.at(SITE, node=node)])

    @property
    def status(self) -> Status:
        return Status.decode(self.said[STATUS.at(SITE, deployment=NAME)])

    @property
    def phase(self) -> str:
        return self.status.phase

    @property
    def active(self) -> Active:
        return Active.decode(self.said[ACTIVE.at(SITE, deployment=NAME)])

    def ready(self, *nodes: str) -> None:
        for node in nodes:
            self.hear(report(node, self.assignment(node)))


def serving(*nodes: str, of: Bundle | None = None) -> Desk:
    """Return a desk whose deployment serves on these nodes."""
    of = of or bundle()
    desk = Desk(*nodes, stored=of)
    desk.hear(wish(of))
    desk.ready(*{node for node in nodes if NODE_ASSIGNMENT.at(SITE, node=node) in desk.said})
    assert desk.phase == "serving"
    return desk


def saved(desk: Desk) -> Save:
    """Return what a desk kept last."""
    (*_, last) = [action for action in desk.all if isinstance(action, Save)]
    return last


def restarted(desk: Desk) -> Desk:
    """Return a coordinator that begins where another one ended; it still listens."""
    again = Desk(stored=bundle(), restored=saved(desk), acts=False, session=101)
    again.kept.update(desk.kept)
    return again
