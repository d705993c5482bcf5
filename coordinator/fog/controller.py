"""The coordinator's decisions for a whole site: messages in, actions out; no I/O, no clock of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from broker.actions import Publish, Stop
from broker.bus.seam import Message
from broker.codec import CodecError, decode_chunk
from broker.messages import (
    ONLINE,
    Active,
    Assignment,
    Beat,
    CoordinatorBeat,
    MessageError,
    NodeInfo,
    Report,
    Spec,
    Status,
)
from broker.topics import (
    ACTIVE,
    CLIENT_GIVE,
    COORDINATOR_BEAT,
    COORDINATOR_GET,
    COORDINATOR_STATE,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_GIVE,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    SPEC,
    STATUS,
    InvalidIdError,
    Topic,
    check_id,
)
from coordinator.fog.deployment import Decisions, Deployment, Question
from coordinator.fog.fleet import Fleet
from coordinator.fog.last_assignments import LastAssignments
from coordinator.fog.placing import Placed
from coordinator.fog.recovery import Heard, recovered
from coordinator.fog.reporting import Reporting
from coordinator.fog.requested import RequestedSpecs, SpecError, bundle_of
from coordinator.fog.retained import Retained
from coordinator.fog.saved_state import remembered, restored, saved
from coordinator.fog.surroundings import Surroundings
from coordinator.fog.watch import Watch

SETTLE_S: Final = 1.5
"""After a connect retained messages and beats come in; nothing is decided on half of them."""
DEAF_S: Final = 3.0
"""Who does not hear its own beats for so long hears nobody, and judges nobody."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep an artifact."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Save:
    """Keep what a restarted coordinator is to know, and the artifacts of these hashes."""

    state: dict[str, Any]
    artifacts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Ask the placer for a layout; ``Controller.asked`` hears the number of the question."""

    deployment: str
    question: Question


Action = Publish | Keep | Save | Place | Stop


class Controller:
    """All deployments of a site; ``has`` tells whether an artifact is kept already.

    ``wall_s`` is what added to the seconds of ``now`` gives Unix seconds, for people.
    """

    def __init__(
        self, site: str, session: int, has: Callable[[str], bool], wall_s: float = 0.0
    ) -> None:
        self.fleet = Fleet()
        self.watch = Watch()
        self.deployments: dict[str, Deployment] = {}
        self.bad_messages = 0
        self.bad_message = ""
        """What was wrong with the last of them."""
        self._site, self._session = site, session
        self._settled_at = 0.0
        self._beats = 0
        self._heard_itself_at: float | None = None
        self._early: dict[str, Spec] = {}  # specs that came before anything is decided
        self._heard = Heard()
        self._epochs: dict[str, int] = {}  # the last by deployment, also of those that ended
        self._requested = RequestedSpecs(has, self._holders)
        self._retained = Retained(site)
        self._reporting = Reporting(wall_s)
        self._emptied: set[str] = set()  # specs that we cleared and whose echo is to come
        self._last_assignments = LastAssignments()
        self._handlers: dict[Topic, Callable[..., list[Action]]] = {
            NODE_STATE: self._node_state,
            NODE_INFO: self._info,
            NODE_REPORT: self._reported,
            NODE_BEAT: self._node_beat,
            NODE_ASSIGNMENT: self._assigned,
            NODE_GIVE: self._chunk,
            CLIENT_GIVE: self._chunk,
            COORDINATOR_STATE: self._own_state,
            COORDINATOR_BEAT: self._coordinator_beat,
            SPEC: self._spec,
            ACTIVE: self._active,
            STATUS: self._status,
        }

    def restore(self, state: Mapping[str, Any]) -> list[Action]:
        """Take up what :class:`Save` kept: deployments that serve go on serving.

        Raises:
            ValueError: it is not what was kept; nothing of it is taken up.
        """
        self.deployments = {deployment.name: deployment for deployment in restored(state)}
        self.fleet.measured.update(remembered(state))
        actions: list[Action] = []
        for deployment in self.deployments.values():
            self._requested.fetch_again(deployment.bundle)
            actions += self._carry_out(deployment, deployment.resumed())
        return actions

    def subscriptions(self) -> list[str]:
        """Return the filters that a coordinator hears."""
        return [topic.every(self._site) for topic in self._handlers]

    def connected(self, now: float) -> None:
        """Take note of a new connection: what was not heard before it is nobody's silence."""
        self._forgive(now)
        self._settled_at = now + SETTLE_S
        self._emptied.clear()

    def held_up(self, now: float) -> None:
        """Take note that nothing was heard or decided for long: that was nobody's silence but ours."""
        self._forgive(now)
        for deployment in self.deployments.values():
            deployment.wait_longer(now)

    def _forgive(self, now: float) -> None:
        self.fleet.forgive(now)
        self.watch.forgive(now)
        self._heard_itself_at = now

    def deaf(self, now: float) -> bool:
        """Return whether our own beats do not come back: the connection is open in one direction only."""
        return self._heard_itself_at is not None and now - self._heard_itself_at >= DEAF_S

    def handle(self, message: Message, now: float) -> list[Action]:
        """Return what follows from a message."""
        try:
            actions = self._take(message, now)
        except (MessageError, CodecError, InvalidIdError) as error:
            self.bad_messages += 1
            self.bad_message = f"{message.topic}: {error}"
            return []
        return actions + self._steps(now)

    def placed(self, answer: Placed, now: float) -> list[Action]:
        """Return what follows from the placer's answer."""
        deployment = self.deployments.get(answer.key)
        if deployment is None:
            return []
        known = self._surroundings(now).of(deployment)
        return self._carry_out(deployment, deployment.placed(answer, known, now)) + self._steps(now)

    def asked(self, deployment: str, number: int) -> None:
        """Take note of the number that the placer gave a question."""
        if deployment in self.deployments:
            self.deployments[deployment].asked(number)

    def lost(self, sha256: str, now: float) -> list[Action]:
        """Fetch an artifact again that is missing or corrupt here: the fog nodes have it too."""
        for deployment in self.deployments.values():
            for bundle in deployment.bundles:
                if any(part.sha256 == sha256 for part in bundle.partitions):
                    self._requested.fetch_again(bundle)
        return self._requests(now)

    def tick(self, now: float) -> list[Action]:
        """Return what is due; call it a few times a second."""
        self.watch.judge(now)
        return self._requests(now) + self._steps(now) + self._report(now)

    def beat(self) -> list[Action]:
        """Return the coordinator's own pulse, to be sent every second."""
        self._beats += 1
        beat = CoordinatorBeat(
            session=self._session,
            sequence=self._beats,
            queues={"pulls": len(self._requested)},
            counters={"bad_messages": self.bad_messages},
        )
        return [Publish(COORDINATOR_BEAT.at(self._site), beat.encode())]

    # --- messages ---------------------------------------------------------------------------

    def _take(self, message: Message, now: float) -> list[Action]:
        for topic, handler in self._handlers.items():
            names = topic.names(message.topic)
            if names is not None:
                for field, name in names.items():
                    check_id(field, name)
                return handler(*names.values(), message.payload, now)
        return []

    def _node_state(self, node: str, payload: bytes, now: float) -> list[Action]:
        self.fleet.state(node, payload, now)
        return []

    def _own_state(self, payload: bytes, _now: float) -> list[Action]:
        if payload == ONLINE:
            return []
        # An older session's will may come after we are back; who is there says so.
        return [Publish(COORDINATOR_STATE.at(self._site), ONLINE, retain=True)]

    def _info(self, node: str, payload: bytes, now: float) -> list[Action]:
        if payload:
            self.fleet.info(node, NodeInfo.decode(payload), now)
        else:
            self.fleet.forget(node)
            self.watch.forget(node)
        return []

    def _node_beat(self, node: str, payload: bytes, now: float) -> list[Action]:
        beat = Beat.decode(payload)
        self.watch.beat(node, beat, now)
        if self.fleet.beat(node, beat, now):
            for deployment in self.deployments.values():
                deployment.progressed(node, now)
        return []

    def _coordinator_beat(self, payload: bytes, now: float) -> list[Action]:
        session = CoordinatorBeat.decode(payload).session
        if session == self._session:
            self._heard_itself_at = now
        if session > self._session:
            return [Stop(f"another fog-coordinator took over site {self._site}; it goes on")]
        return []

    def _reported(self, node: str, payload: bytes, now: float) -> list[Action]:
        if not payload:
            return []
        report = Report.decode(payload)
        deployment = self.deployments.get(report.deployment)
        if deployment is None:
            return []
        self.fleet.report(node, report, deployment.hashes)
        return self._carry_out(deployment, deployment.reported(node, report, now))

    def _assigned(self, node: str, payload: bytes, _now: float) -> list[Action]:
        if payload:
            assignment = Assignment.decode(payload)
            self._heard.assignments.setdefault(node, {})[assignment.deployment] = assignment
        else:
            self._heard.assignments.pop(node, None)
        return []

    def _active(self, name: str, payload: bytes, _now: float) -> list[Action]:
        if payload:
            active = self._heard.active[name] = Active.decode(payload)
            self._epochs[name] = max(self._epochs.get(name, 0), active.epoch)
        else:
            self._heard.active.pop(name, None)
        return []

    def _status(self, name: str, payload: bytes, _now: float) -> list[Action]:
        if payload:
            self._heard.statuses[name] = Status.decode(payload)
        return []

    def _spec(self, name: str, payload: bytes, now: float) -> list[Action]:
        if not payload:
            return self._cleared(name, now)
        spec = Spec.decode(payload)
        if spec.deployment != name:
            raise MessageError(f"Spec: deployment: {spec.deployment!r} is not that of the topic")
        deployment = self.deployments.get(name)
        known = max(self._requested.revision(name), deployment.spec.revision if deployment else -1)
        if spec.revision <= known:
            return []  # our own echo, or a spec that a later one has overtaken
        if deployment is None and now < self._settled_at:
            self._early[name] = spec
            return []
        return self._take_up(spec)

    def _take_up(self, spec: Spec) -> list[Action]:
        """Fetch what a spec needs, or refuse it."""
        try:
            bundle = bundle_of(spec)
        except SpecError as error:
            return self._refuse(spec, str(error))
        self._requested.add(spec, bundle)
        fetching = Status(deployment=spec.deployment, revision=spec.revision, phase="fetching")
        return [*self._retained.publish(STATUS, fetching, deployment=spec.deployment)]

    def _refuse(self, spec: Spec, reason: str) -> list[Action]:
        """Say why not; what cannot be had is not wanted for ever: the last good spec stands again."""
        name = spec.deployment
        deployment = self.deployments.get(name)
        good = deployment.spec.encode() if deployment else b""
        if not good:
            self._emptied.add(name)
        failed = Status(deployment=name, revision=spec.revision, phase="failed", reason=reason)
        return [
            Publish(SPEC.at(self._site, deployment=name), good, retain=True),
            *self._retained.publish(STATUS, failed, deployment=name),
        ]

    def _cleared(self, name: str, now: float) -> list[Action]:
        """Undeploy, unless this is our own echo; also what an earlier coordinator left behind."""
        if name in self._emptied:
            self._emptied.discard(name)
            return []
        self._requested.drop(name)
        self._early.pop(name, None)
        self.watch.serve(name, None)
        self._reporting.forget(name)
        deployment = self.deployments.pop(name, None)
        epoch = max(deployment.last_epoch if deployment else 0, self._epochs.get(name, 0)) + 1
        retired = Assignment(deployment=name, epoch=epoch, phase="retire")
        actions: list[Action] = []
        for node in sorted(deployment.told if deployment else self.fleet.alive(now)):
            actions += self._assign(node, retired)
        self._epochs[name] = epoch
        self._heard.active.pop(name, None)
        self._emptied.add(name)
        for topic in (SPEC, ACTIVE, STATUS):
            actions += self._retained.clear(topic, deployment=name)
        return [*actions, self._save()]

    def _holders(self, sha256: str) -> list[str]:
        """Return the fog nodes to ask for an artifact: those that run it, then those that once may have."""
        there = [node for node, record in sorted(self.fleet.nodes.items()) if record.online]
        assigned = [node for node in self._heard.holders(sha256) if node in there]
        return [*assigned, *(node for node in there if node not in assigned)]

    def _chunk(self, _giver: str, payload: bytes, now: float) -> list[Action]:
        data = self._requested.accept(decode_chunk(payload), now)
        kept: list[Action] = [] if data is None else [Keep(data)]
        return kept + self._requests(now)

    def _requests(self, now: float) -> list[Action]:
        topic = COORDINATOR_GET.at(self._site)
        return [Publish(topic, request.encode()) for request in self._requested.requests(now)]

    # --- decisions --------------------------------------------------------------------------

    def _steps(self, now: float) -> list[Action]:
        if now < self._settled_at:
            return []
        actions = self._recover(now) + self._deploy(now)
        for node, assignment in self._last_assignments.again(self.fleet.alive(now)):
            actions += self._assign(node, assignment)
        surroundings = self._surroundings(now)
        for deployment in list(self.deployments.values()):
            # After a restart no sooner than here: a newer spec may have been retained meanwhile.
            if not self._retained.said(SPEC, deployment=deployment.name):
                actions += self._retained.publish(SPEC, deployment.spec, deployment=deployment.name)
            known = self._epochs.get(deployment.name, 0)
            deployment.last_epoch = max(deployment.last_epoch, known)
            decisions = deployment.step(surroundings.of(deployment), now)
            actions += self._carry_out(deployment, decisions)
        return actions

    def _recover(self, now: float) -> list[Action]:
        """Adopt what serves without our knowing: an earlier coordinator's folder is gone."""
        actions: list[Action] = []
        early, self._early = self._early, {}
        for name, spec in early.items():
            try:
                bundle = bundle_of(spec)
            except SpecError as error:
                actions += self._refuse(spec, str(error))
                continue
            epoch = recovered(name, bundle, self._heard, self.fleet.alive(now), now)
            if epoch is None:
                actions += self._take_up(spec)
                continue
            deployment = self.deployments[name] = Deployment(spec, bundle)
            deployment.adopt(epoch, settled=True)
            self._requested.fetch_again(bundle)
            actions += [*self._carry_out(deployment, deployment.resumed()), self._save()]
        return actions

    def _deploy(self, now: float) -> list[Action]:
        """Take up the specs whose artifacts are here, and refuse those that nobody supplies."""
        actions: list[Action] = []
        for spec, reason in self._requested.hopeless(now):
            if spec.deployment in self._heard.active and spec.deployment not in self.deployments:
                # It serves, and is not ours to end because we lost its artifacts.
                self._early[spec.deployment] = spec
                waiting = Status(
                    deployment=spec.deployment,
                    revision=spec.revision,
                    phase="waiting",
                    reason=reason,
                )
                actions += self._retained.publish(STATUS, waiting, deployment=spec.deployment)
            else:
                actions += self._refuse(spec, reason)
        for spec, bundle in self._requested.complete():
            name = spec.deployment
            if name in self.deployments:
                self.deployments[name].revise(spec, bundle)
            else:
                self.deployments[name] = Deployment(spec, bundle)
            actions += [*self._retained.publish(SPEC, spec, deployment=name), self._save()]
        bundles = [*self._requested.bundles]
        bundles += [b for deployment in self.deployments.values() for b in deployment.bundles]
        self._requested.end_others({part.sha256 for b in bundles for part in b.partitions})
        return actions

    def _surroundings(self, now: float) -> Surroundings:
        return Surroundings(self.fleet, self.watch, self.deployments, now)

    def _carry_out(self, deployment: Deployment, decided: Decisions) -> list[Action]:
        """Publish decisions: ``active`` first, for a frame of a new epoch finds its nodes ready."""
        name = deployment.name
        actions: list[Action] = []
        if decided.active is not None:
            actions += self._retained.publish(ACTIVE, decided.active, deployment=name)
            self.watch.serve(name, deployment.serving.served() if deployment.serving else None)
        for node, assignment in decided.assignments.items():
            actions += self._assign(node, assignment)
        if decided.announce:
            status = self._reporting.changed(deployment)
            actions += self._retained.publish(STATUS, status, deployment=name)
        if decided.question is not None:
            actions.append(Place(name, decided.question))
        return [*actions, self._save()] if decided.assignments else actions

    def _assign(self, node: str, assignment: Assignment) -> list[Action]:
        self._last_assignments.note(node, assignment)
        return [*self._retained.publish(NODE_ASSIGNMENT, assignment, node=node)]

    def _report(self, now: float) -> list[Action]:
        """Tell people how what serves fares, when that changed noticeably."""
        if now < self._settled_at:
            return []
        actions: list[Action] = []
        alive = self.fleet.alive(now)
        for deployment in self.deployments.values():
            status = self._reporting.due(deployment, self.watch, alive, now)
            if status is not None:
                actions += self._retained.publish(STATUS, status, deployment=deployment.name)
        return actions

    def _save(self) -> Save:
        bundles = [b for deployment in self.deployments.values() for b in deployment.bundles]
        bundles += self._requested.bundles
        needed = frozenset(part.sha256 for bundle in bundles for part in bundle.partitions)
        measured = {key: s for key, s in self.fleet.measured.items() if key[1] in needed}
        return Save(saved(self.deployments.values(), measured), needed)
