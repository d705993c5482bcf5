"""The coordinator's decisions for a whole site: messages in, actions out; no I/O, no clock of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from broker.actions import Publish, Stop
from broker.artifact_pulls import ArtifactPulls
from broker.bus.seam import Message
from broker.codec import MAX_TENSOR_BYTES, CodecError, decode_chunk
from broker.messages import (
    ONLINE,
    Active,
    Assignment,
    Beat,
    CoordinatorBeat,
    MessageError,
    NodeInfo,
    Payload,
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
from coordinator.fog.deployment import Deployment, Orders
from coordinator.fog.fleet import Fleet
from coordinator.fog.saved_state import remembered, restored, saved
from coordinator.fog.standing_orders import StandingOrders
from models.bundle import Bundle

PULL_PATIENCE_S: Final = 20.0
SETTLE_S: Final = 1.5
"""After a connect retained messages and beats come in; nothing is decided on half of them."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep an artifact."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Save:
    """Keep what a restarted coordinator is to know, and the artifacts of these hashes."""

    state: dict[str, Any]
    artifacts: frozenset[str]


Action = Publish | Keep | Save | Stop


class Controller:
    """All deployments of a site; ``has`` tells whether an artifact is kept already."""

    def __init__(self, site: str, session: int, has: Callable[[str], bool]) -> None:
        self.fleet = Fleet()
        self.deployments: dict[str, Deployment] = {}
        self.bad_messages = 0
        self.bad_message = ""
        """What was wrong with the last of them."""
        self._site, self._session, self._has = site, session, has
        self._settled_at = 0.0
        self._beats = 0
        self._pulls = ArtifactPulls()
        self._wishes: dict[str, tuple[Spec, Bundle]] = {}
        self._said: dict[str, bytes] = {}
        self._epochs: dict[str, int] = {}
        self._emptied: set[str] = set()  # specs that we cleared and whose echo is to come
        self._orders = StandingOrders()
        self._handlers: dict[Topic, Callable[..., list[Action]]] = {
            NODE_STATE: self._node_state,
            NODE_INFO: self._info,
            NODE_REPORT: self._reported,
            NODE_BEAT: self._node_beat,
            NODE_GIVE: self._chunk,
            CLIENT_GIVE: self._chunk,
            COORDINATOR_STATE: self._own_state,
            COORDINATOR_BEAT: self._coordinator_beat,
            SPEC: self._wanted,
            ACTIVE: self._activated,
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
            if deployment.serving is not None:
                orders = Orders(
                    deployment.assignments(deployment.serving, "serve"),
                    deployment.active(),
                    deployment.status("serving"),
                )
                actions += self._order(deployment, orders)
        return actions

    def subscriptions(self) -> list[str]:
        """Return the filters that a coordinator hears."""
        return [topic.every(self._site) for topic in self._handlers]

    def connected(self, now: float) -> None:
        """Take note of a new connection: what was not heard before it is nobody's silence."""
        self.fleet.forgive(now)
        self._settled_at = now + SETTLE_S
        self._emptied.clear()

    def held_up(self, now: float) -> None:
        """Take note that nothing was heard or decided for long: that was nobody's silence but ours."""
        self.fleet.forgive(now)
        for deployment in self.deployments.values():
            deployment.wait_longer(now)

    def handle(self, message: Message, now: float) -> list[Action]:
        """Return what follows from a message."""
        try:
            actions = self._heard(message, now)
        except (MessageError, CodecError, InvalidIdError) as error:
            self.bad_messages += 1
            self.bad_message = f"{message.topic}: {error}"
            return []
        return actions + self._steps(now)

    def tick(self, now: float) -> list[Action]:
        """Return what is due; call it a few times a second."""
        return self._requests(now) + self._steps(now)

    def beat(self) -> list[Action]:
        """Return the coordinator's own pulse, to be sent every second."""
        self._beats += 1
        beat = CoordinatorBeat(
            session=self._session,
            sequence=self._beats,
            queues={"pulls": len(self._pulls)},
            counters={"bad_messages": self.bad_messages},
        )
        return [Publish(COORDINATOR_BEAT.at(self._site), beat.encode())]

    # --- messages ---------------------------------------------------------------------------

    def _heard(self, message: Message, now: float) -> list[Action]:
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
        return []

    def _node_beat(self, node: str, payload: bytes, now: float) -> list[Action]:
        if self.fleet.beat(node, Beat.decode(payload), now):
            for deployment in self.deployments.values():
                deployment.progressed(node, now)
        return []

    def _coordinator_beat(self, payload: bytes, _now: float) -> list[Action]:
        if CoordinatorBeat.decode(payload).session > self._session:
            return [Stop("another fog-coordinator took over this site")]
        return []

    def _reported(self, node: str, payload: bytes, now: float) -> list[Action]:
        if not payload:
            return []
        report = Report.decode(payload)
        deployment = self.deployments.get(report.deployment)
        if deployment is None:
            return []
        self.fleet.report(node, report, deployment.hashes)
        orders = deployment.reported(node, report, now)
        return self._order(deployment, orders) if orders else []

    def _activated(self, name: str, payload: bytes, _now: float) -> list[Action]:
        if payload:
            self._epochs[name] = max(self._epochs.get(name, 0), Active.decode(payload).epoch)
        return []

    def _wanted(self, name: str, payload: bytes, now: float) -> list[Action]:
        if not payload:
            return self._cleared(name, now)
        spec = Spec.decode(payload)
        if spec.deployment != name:
            raise MessageError(f"Spec: deployment: {spec.deployment!r} is not that of the topic")
        deployment = self.deployments.get(name)
        known = [deployment.spec.revision] if deployment else []
        if name in self._wishes:
            known.append(self._wishes[name][0].revision)
        if known and spec.revision <= max(known):
            return []  # our own echo, or a wish that a later one has overtaken
        try:
            bundle = Bundle.model_validate(spec.bundle)
            _check_sizes(bundle)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            return self._refuse(spec, f"bundle.{field}: {first['msg']}")
        except ValueError as error:
            return self._refuse(spec, str(error))
        self._wishes[name] = (spec, bundle)
        for part in bundle.partitions:
            if not self._has(part.sha256):
                self._pulls.begin(part.sha256, part.bytes)
        fetching = Status(deployment=name, revision=spec.revision, phase="fetching")
        return self._say(STATUS, fetching, deployment=name)

    def _refuse(self, spec: Spec, reason: str) -> list[Action]:
        """Say why not; what cannot be had is not wanted for ever: the last good wish stands again."""
        name = spec.deployment
        deployment = self.deployments.get(name)
        wish = deployment.spec.encode() if deployment else b""
        if not wish:
            self._emptied.add(name)
        failed = Status(deployment=name, revision=spec.revision, phase="failed", reason=reason)
        return [
            Publish(SPEC.at(self._site, deployment=name), wish, retain=True),
            *self._say(STATUS, failed, deployment=name),
        ]

    def _grant(self, now: float) -> list[Action]:
        """Take up the wishes whose artifacts are here, and refuse those that nobody supplies."""
        actions: list[Action] = []
        hopeless = self._pulls.hopeless(now, PULL_PATIENCE_S)
        for name, (spec, bundle) in list(self._wishes.items()):
            missing = [part for part in bundle.partitions if part.sha256 in self._pulls]
            lost = next((part for part in missing if part.sha256 in hopeless), None)
            if lost is not None:
                del self._wishes[name]
                actions += self._refuse(spec, f"partition {lost.id}: {hopeless[lost.sha256]}")
            elif not missing:
                del self._wishes[name]
                if name in self.deployments:
                    self.deployments[name].revise(spec, bundle)
                else:
                    self.deployments[name] = Deployment(spec, bundle)
                actions += [*self._say(SPEC, spec, deployment=name), self._save()]
        wanted = {part.sha256 for _, of in self._wishes.values() for part in of.partitions}
        self._pulls.end([sha256 for sha256 in self._pulls.hashes if sha256 not in wanted])
        return actions

    def _cleared(self, name: str, now: float) -> list[Action]:
        """Undeploy, unless this is our own echo; also what an earlier coordinator left behind."""
        if name in self._emptied:
            self._emptied.discard(name)
            return []
        self._wishes.pop(name, None)
        deployment = self.deployments.pop(name, None)
        epoch = max(deployment.last_epoch if deployment else 0, self._epochs.get(name, 0)) + 1
        retired = Assignment(deployment=name, epoch=epoch, phase="retire")
        actions: list[Action] = []
        for node in sorted(deployment.told if deployment else self.fleet.alive(now)):
            actions += self._tell(node, retired)
        self._epochs[name] = epoch
        self._emptied.add(name)
        for topic in (SPEC, ACTIVE, STATUS):
            text = topic.at(self._site, deployment=name)
            self._said.pop(text, None)
            actions.append(Publish(text, b"", retain=True))
        return [*actions, self._save()]

    def _chunk(self, _giver: str, payload: bytes, now: float) -> list[Action]:
        data = self._pulls.accept(decode_chunk(payload), now)
        kept: list[Action] = [] if data is None else [Keep(data)]
        return kept + self._requests(now)

    def _requests(self, now: float) -> list[Action]:
        topic = COORDINATOR_GET.at(self._site)
        return [Publish(topic, request.encode()) for request in self._pulls.requests(now)]

    # --- decisions --------------------------------------------------------------------------

    def _steps(self, now: float) -> list[Action]:
        actions = self._grant(now)
        if now < self._settled_at:
            return actions
        alive = self.fleet.alive(now)
        for node, word in self._orders.again(alive):
            actions += self._tell(node, word)
        for deployment in self.deployments.values():
            # After a restart no sooner than here: a newer wish may have been retained meanwhile.
            if SPEC.at(self._site, deployment=deployment.name) not in self._said:
                actions += self._say(SPEC, deployment.spec, deployment=deployment.name)
            known = self._epochs.get(deployment.name, 0)
            deployment.last_epoch = max(deployment.last_epoch, known)
            orders = deployment.step(alive, self.fleet.measured, now)
            if orders is not None:
                actions += self._order(deployment, orders)
        return actions

    def _order(self, deployment: Deployment, orders: Orders) -> list[Action]:
        """Publish orders: ``active`` first, for a frame of a new epoch finds its nodes ready."""
        actions: list[Action] = []
        if orders.active is not None:
            actions += self._say(ACTIVE, orders.active, deployment=deployment.name)
        for node, assignment in orders.assignments.items():
            actions += self._tell(node, assignment)
        if orders.status is not None:
            actions += self._say(STATUS, orders.status, deployment=deployment.name)
        return [*actions, self._save()] if orders.assignments else actions

    def _tell(self, node: str, word: Assignment) -> list[Action]:
        self._orders.note(node, word)
        return self._say(NODE_ASSIGNMENT, word, node=node)

    def _say(self, topic: Topic, message: Payload, **names: str) -> list[Action]:
        """Publish a retained message unless it was the last word on its topic already."""
        text, payload = topic.at(self._site, **names), message.encode()
        if self._said.get(text) == payload:
            return []
        self._said[text] = payload
        return [Publish(text, payload, retain=True)]

    def _save(self) -> Save:
        bundles = [
            bundle for deployment in self.deployments.values() for bundle in deployment.bundles
        ]
        bundles += [bundle for _, bundle in self._wishes.values()]
        needed = frozenset(part.sha256 for bundle in bundles for part in bundle.partitions)
        measured = {key: s for key, s in self.fleet.measured.items() if key[1] in needed}
        return Save(saved(self.deployments.values(), measured), needed)


def _check_sizes(bundle: Bundle) -> None:
    for tensor in bundle.tensors:
        if tensor.bytes > MAX_TENSOR_BYTES:
            raise ValueError(
                f"bundle.tensors.{tensor.id}: {tensor.bytes} bytes; "
                f"a message carries at most {MAX_TENSOR_BYTES}"
            )
