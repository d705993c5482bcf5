"""The coordinator's decisions for a whole site: messages in, actions out; no I/O, no clock of its own.

``tenure.py`` says whether this coordinator acts, ``deployments.py`` what it does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from broker.access.trust import Trust
from broker.actions import Publish, Stop
from broker.bus.seam import Message
from broker.codec import CodecError, decode_chunk
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import ONLINE, Beat, NodeInfo, Report
from broker.payload import MessageError
from broker.ranges import MOST_COUNT
from broker.sessions import check_session, newest_session
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
    InvalidIdError,
    Topic,
    check_id,
)
from coordinator.fog.actions import Action
from coordinator.fog.admission import Admission
from coordinator.fog.deployments import Deployments
from coordinator.fog.failures import Failures
from coordinator.fog.fleet import Fleet
from coordinator.fog.own_topics import OwnTopics
from coordinator.fog.placing import Placed
from coordinator.fog.quarantine import Quarantine
from coordinator.fog.tenure import SILENT_S, Tenure
from coordinator.fog.watch import Watch

DEAF_S: Final = 3.0
"""Who does not hear its own beats for so long hears nobody, and connects anew."""
QUARANTINE_S: Final = 3600.0
"""So long at most a message that led to a mistake of ours is ignored, unless it changes."""
UNSURE_S: Final = 1.5
"""Who does not hear its own beats for so long holds nobody's silence against anyone."""


class Controller:
    """All decisions of a site; ``has`` tells whether an artifact of a hash and size is kept already.

    ``wall_s`` is what added to the seconds of ``now`` gives Unix seconds, for people. With an
    ``operator_key`` (64 hex digits) only what the operator signed is deployed.
    """

    def __init__(
        self,
        site: str,
        session: int,
        has: Callable[[str, int], bool],
        failures: Failures,
        wall_s: float = 0.0,
        *,
        operator_key: str | None = None,
    ) -> None:
        self.fleet = Fleet()
        self.watch = Watch()
        self.tenure = Tenure(session)
        self.deployments = Deployments(
            site,
            self.fleet,
            self.watch,
            has,
            failures,
            wall_s=wall_s,
            trust=Trust(operator_key, wall_s=wall_s),
        )
        self.admission = Admission(self._drop, failures)
        own = OwnTopics(self.deployments)
        self._quarantine = Quarantine(QUARANTINE_S, failures)
        self._site, self._failures, self._newest_session = site, failures, MOST_COUNT
        self._beats, self._heard_itself_at = 0, 0.0
        self._handlers: dict[Topic, Callable[..., Sequence[Action]]] = {
            NODE_BEAT: self._node_beat,  # first, for it is looked for by far the most often
            NODE_STATE: self._node_state,
            NODE_INFO: self._node_info,
            NODE_REPORT: self._node_report,
            NODE_ASSIGNMENT: own.assignment,
            NODE_GIVE: self._chunk,
            CLIENT_GIVE: self._chunk,
            COORDINATOR_STATE: self._coordinator_state,
            COORDINATOR_BEAT: self._coordinator_beat,
            SPEC: self.deployments.want,
            ACTIVE: own.active,
            STATUS: own.status,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Know what :class:`~coordinator.fog.actions.Save` kept.

        Raises:
            ValueError: it is not what was kept; nothing of it is taken up.
        """
        self.deployments.restore(state)

    def subscriptions(self) -> list[str]:
        """Return the filters that a coordinator hears."""
        return [topic.every(self._site) for topic in self._handlers]

    def clock(self, unix_s: float) -> None:
        """Take note of the time: sessions and revisions from days ahead of it are not believed."""
        self._newest_session = newest_session(unix_s)
        self.deployments.specs.wishes.clock(unix_s)

    def connected(self, now: float) -> None:
        """Take note of a new connection: what was not heard before it is nobody's silence."""
        self._forgive(now)
        self.tenure.connected(now)
        self.deployments.connected()

    def held_up(self, now: float, for_s: float) -> None:
        """Take note that nothing was heard or decided for long: that was nobody's silence but ours."""
        self._forgive(now)
        if for_s >= SILENT_S:
            self.tenure.connected(now)  # another one may have taken over: listen first
        self.deployments.wait_longer(now)

    def deaf(self, now: float) -> bool:
        """Return whether our own beats do not come back: the connection is open in one direction only."""
        return self.tenure.acts and now - self._heard_itself_at >= DEAF_S

    def handle(self, message: Message, now: float, *, more: bool = False) -> list[Action]:
        """Return what follows from a message; where ``more`` wait, what they say together with the next tick."""
        state = hash(message.payload)
        if self._quarantine.holds(message.topic, state, now):
            return []
        try:
            return self._handled(message, now, more=more)
        except Exception as error:  # noqa: BLE001  a mistake of ours is to end no site
            self._quarantine.raised(message.topic, state, error, now)
            return []

    def _handled(self, message: Message, now: float, *, more: bool) -> list[Action]:
        try:
            topic, actions = self._take(message, now)
        except (MessageError, CodecError, InvalidIdError) as error:
            self._failures.note("could_not_decode", f"{message.topic}: {error}")
            return []
        if more or topic in (NODE_BEAT, COORDINATOR_BEAT):
            return actions  # what many beats say together is looked at with the next tick
        return actions + self._decide(now)

    def placed(self, answer: Placed, now: float) -> list[Action]:
        """Return what follows from the placer's answer."""
        return self.deployments.placed(answer, now) + self._decide(now)

    def asked(self, deployment: str, number: int) -> None:
        """Take note of the number that the placer gave a question."""
        self.deployments.asked(deployment, number)

    def lost(self, sha256: str, now: float) -> list[Action]:
        """Return what follows from an artifact that is missing or corrupt here."""
        return self.deployments.lost(sha256, now) if self.tenure.acts else []

    def tick(self, now: float) -> list[Action]:
        """Return what is due; call it a few times a second."""
        self.watch.judge(now)
        self.admission.prove("deployment", self.deployments.names, now)
        self.admission.prune(now)
        actions = self._begin(now) if self.tenure.advance(now) else []
        if not self.tenure.acts:
            return actions
        actions += self.deployments.requests(now) + self._decide(now)
        if self.tenure.settled(now):  # before, it may well be we who are behind
            actions += self.deployments.report(now)
            actions += self.deployments.publishing.retained.again(now)
        return actions

    def beat(self) -> list[Action]:
        """Return the coordinator's own pulse, to be sent every second."""
        if not self.tenure.acts:
            return []
        self._beats += 1
        beat = CoordinatorBeat(
            role="coordinator",
            session=self.tenure.session,
            sequence=self._beats,
            queues={"pulls": len(self.deployments.requested)},
            counters=self._failures.totals,
        )
        return [Publish(COORDINATOR_BEAT.at(self._site), beat.encode())]

    def _forgive(self, now: float) -> None:
        self.fleet.forgive(now)
        self.watch.forgive(now)
        self._heard_itself_at = now

    def _begin(self, now: float) -> list[Action]:
        """Begin to act for the site."""
        self._heard_itself_at = now
        online = Publish(COORDINATOR_STATE.at(self._site), ONLINE, retain=True)
        return [online, *self.beat(), *self.deployments.begin(now)]

    def _decide(self, now: float) -> list[Action]:
        if not self.tenure.acts or not self.tenure.settled(now):
            return []
        if now - self._heard_itself_at >= UNSURE_S:
            return []  # as likely as not it is we who hear nothing
        return self.deployments.step(now)

    # --- messages ---------------------------------------------------------------------------

    def _take(self, message: Message, now: float) -> tuple[Topic | None, list[Action]]:
        """Return whose topic it came by, and what follows."""
        for topic, handler in self._handlers.items():
            names = topic.names(message.topic)
            if names is not None:
                for field, name in names.items():
                    check_id(field, name)
                if not self.admission.admits(names, now):
                    return topic, []
                return topic, [*handler(*names.values(), message.payload, now)]
        return None, []

    def _drop(self, kind: str, name: str) -> None:
        """Forget a node, or what others said of a deployment; whoever is there says it again."""
        if kind == "node":
            self.fleet.forget(name)
            self.watch.forget(name)
            self.deployments.heard.forget_node(name)
        elif self.deployments.get(name) is None:
            self.deployments.heard.forget(name)
            self.deployments.heard.epochs.pop(name, None)

    def _node_state(self, node: str, payload: bytes, now: float) -> list[Action]:
        if payload:
            self.fleet.state(node, payload, now)
            return []
        self.fleet.forget(node)
        self.watch.forget(node)
        self.admission.forget("node", node)
        return [*self.deployments.forget(node)] if self.tenure.acts else []

    def _node_info(self, node: str, payload: bytes, now: float) -> list[Action]:
        if payload:
            info = NodeInfo.decode(payload)
            check_session(info.session, self._newest_session)
            self.fleet.info(node, info, now)
        return []

    def _node_beat(self, node: str, payload: bytes, now: float) -> list[Action]:
        beat = Beat.decode(payload)
        check_session(beat.session, self._newest_session)
        self.watch.beat(node, beat, now)
        if self.fleet.beat(node, beat, now):
            self.deployments.progressed(node, now)
        if self.fleet.is_proven(node):
            self.admission.prove("node", [node], now)
        return []

    def _node_report(self, node: str, payload: bytes, now: float) -> list[Action]:
        if not payload:
            return []
        report = Report.decode(payload)
        check_session(report.session, self._newest_session)
        return self.deployments.reported(node, report, now)

    def _chunk(self, _giver: str, payload: bytes, now: float) -> list[Action]:
        return self.deployments.accept(decode_chunk(payload), now) if self.tenure.acts else []

    def _coordinator_state(self, payload: bytes, _now: float) -> list[Action]:
        self.tenure.site_says(online=payload == ONLINE)
        if payload == ONLINE or not self.tenure.acts:
            return []
        # Another one's will, an older session's of ours, or a stranger's word: who acts says so.
        return [Publish(COORDINATOR_STATE.at(self._site), ONLINE, retain=True)]

    def _coordinator_beat(self, payload: bytes, now: float) -> list[Action]:
        beat = CoordinatorBeat.decode(payload)
        session = beat.session
        if session == self.tenure.session:
            self._heard_itself_at = now
        else:
            check_session(session, self._newest_session)
        self.tenure.beat(session, now, beat.sequence)
        if self.tenure.state == "ended":
            return [
                Stop(
                    f"another fog-coordinator took over site {self._site} while nothing was heard "
                    "of this one; that one stays"
                )
            ]
        return []
