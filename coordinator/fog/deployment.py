"""One deployment on its way: pure, facts in, decisions out.

``pursuit.TRANSITIONS`` is how it pursues what is wanted, beside the epoch that serves. While an epoch is
placed and prepared, the one before goes on serving. A node that comes and goes causes no churn: what
it would gain is asked once, when the fleet has been steady for a while.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from broker.messages import Active, Assignment, Report, Spec, Status, StatusPhase
from coordinator.fog.epoch import Epoch
from coordinator.fog.held import Held, held_together
from coordinator.fog.knowledge import Circumstances, Knowledge, NodeSessions, sessions
from coordinator.fog.layout import Layout
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.placing import Placed
from coordinator.fog.pursuit import TRANSITIONS, Event, Pursuit
from coordinator.fog.refusals import Refusals
from coordinator.fog.worth import worth_it
from models.bundle import Bundle

PREPARE_PATIENCE_S: Final = 15.0
"""So long may a node that prepares get no further; one that fetches over a slow link does."""
STEADY_S: Final = 10.0
"""A fleet that has been the same for so long is worth comparing what serves with something else."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the placer, and the layout that serves if the answer is to be compared with it."""

    request: LayoutRequest
    present: Layout | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is to be told: to fog nodes, to the cameras; whether people are; and what the placer is asked."""

    assignments: dict[str, Assignment] = field(default_factory=dict)
    active: Active | None = None
    announce: bool = False
    question: Question | None = None


NONE: Final = Decisions()


class Deployment:
    """A bundle that is wanted, with the epoch that serves and the one in preparation."""

    def __init__(self, spec: Spec, bundle: Bundle, last_epoch: int = 0) -> None:
        self.spec, self.bundle = spec, bundle
        self.serving: Epoch | None = None
        self.preparing: Epoch | None = None
        self.last_epoch = last_epoch
        self.pursuit: Pursuit = "wanted"
        self._phase: tuple[StatusPhase, str, float] = ("waiting", "", 0.0)
        self._ready: set[str] = set()
        self._refusals = Refusals()
        self._progressed: dict[str, float] = {}  # node -> when it last got further
        self._told: frozenset[str] = frozenset()
        self._asked = 0
        self._asked_of: NodeSessions = frozenset()
        self._makes_room = False
        self._circumstances: tuple[Circumstances, float] | None = None
        self._judged = False

    @property
    def name(self) -> str:
        """What the cameras call it."""
        return self.spec.deployment

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epoch that serves and the one in preparation, where there are such."""
        return tuple(epoch for epoch in (self.serving, self.preparing) if epoch is not None)

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The bundles of its epochs, and the one that is wanted."""
        return (*(epoch.bundle for epoch in self.epochs), self.bundle)

    @property
    def hashes(self) -> dict[str, str]:
        """The sha256 of the artifacts by partition, of the wanted bundle where several differ."""
        return {part.id: part.sha256 for bundle in self.bundles for part in bundle.partitions}

    @property
    def told(self) -> frozenset[str]:
        """The fog nodes that may have something to do for it."""
        return self._told

    @property
    def settled(self) -> bool:
        """Whether the epoch that serves is what is wanted."""
        return self.pursuit in ("settled", "comparing")

    def held(self) -> Held:
        """Return what its epochs hold of the nodes' memory."""
        return held_together(epoch.held() for epoch in self.epochs)

    def _move(self, event: Event) -> bool:
        """Go where an event leads; return whether that is somewhere else."""
        before = self.pursuit
        self.pursuit = TRANSITIONS.get((before, event), before)
        if self.pursuit != "preparing":
            self.preparing = None
        return self.pursuit != before

    # --- what happens -----------------------------------------------------------------------

    def revise(self, spec: Spec, bundle: Bundle) -> None:
        """Take a new revision: the same or another bundle, to be placed anew."""
        self.spec, self.bundle = spec, bundle
        self._refusals.clear()
        self._makes_room = False
        self._move("revised")

    def reported(self, node: str, report: Report, now: float) -> Decisions:
        """Take a fog node's report on the epoch in preparation."""
        epoch = self.preparing
        if epoch is None or report.epoch != epoch.number or node not in epoch.nodes:
            return NONE
        self.progressed(node, now)
        if report.status == "failed":
            self._refuse(node, report.session, report.reason, now)
            return NONE
        if report.status == "ready":
            self._ready.add(node)
        return self._serve(epoch, now) if self._ready >= epoch.nodes else NONE

    def progressed(self, node: str, now: float) -> None:
        """Take note that a fog node got further with what it fetches and loads."""
        self._progressed[node] = now

    def wait_longer(self, now: float) -> None:
        """Give the nodes of the epoch in preparation all of their time again."""
        if self.preparing is not None:
            self.preparing = replace(self.preparing, since=now)

    def asked(self, number: int) -> None:
        """Take note of the number that the placer gave the question; earlier answers are stale."""
        self._asked = number

    def placed(self, answer: Placed, known: Knowledge, now: float) -> Decisions:
        """Take the placer's answer."""
        if answer.number != self._asked or self.pursuit not in ("comparing", "placing"):
            return NONE
        usable = known.without(self._refusals.standing(known.alive, now))
        layout, present = answer.layout, answer.present
        if sessions(usable) != self._asked_of:
            # Another fleet than was asked about; whether it still matters is seen at the next step.
            self._move("kept" if self.pursuit == "comparing" else "changed")
            return NONE
        if self.pursuit == "comparing":
            better = layout is not None and (
                present is None or worth_it(present, layout, known.frames_per_s)
            )
            if layout is None or not better:
                self._move("kept")
                return NONE
            return self._prepare(layout, known, now)
        if layout is None:
            return self._unplaceable(answer.reason, known, now)
        return self._prepare(layout, known, now)

    # --- what follows -----------------------------------------------------------------------

    def step(self, known: Knowledge, now: float) -> Decisions:
        """Return what follows from what is known; call it whenever something changed."""
        self._refuse_the_late(now)
        latest = self.preparing or self.serving
        if latest is not None and (
            latest.broken(known.alive) or latest.nodes & known.unused.keys()
        ):
            self._move("broken")
        usable = known.without(self._refusals.standing(known.alive, now))
        if self.pursuit in ("placing", "waiting") and sessions(usable) != self._asked_of:
            self._makes_room = False
            self._move("changed")
        if self.pursuit == "settled" and self._worth_asking(known.circumstances(usable), now):
            self._move("reconsidered")
            self._asked_of = sessions(usable)
            request = known.request(self.bundle, usable, held_together([known.held, self.held()]))
            present = self.serving.layout if self.serving else None
            return Decisions(question=Question(request, present))
        if self.pursuit == "wanted":
            return self._ask(known, now)
        return NONE

    def _ask(self, known: Knowledge, now: float) -> Decisions:
        """Ask for a layout beside what serves, or in its place where two do not fit."""
        usable = known.without(self._refusals.standing(known.alive, now))
        self._asked_of = sessions(usable)
        self._move("asked")
        kept = known.held if self._makes_room else held_together([known.held, self.held()])
        try:
            return Decisions(question=Question(known.request(self.bundle, usable, kept)))
        except ValueError as error:
            return self._unplaceable(str(error), known, now)

    def _unplaceable(self, reason: str, known: Knowledge, now: float) -> Decisions:
        if self.serving is not None and not self._makes_room:
            self._makes_room = True
            self._move("changed")
            return self._ask(known, now)
        self._move("unplaceable")
        refused = {**self._refusals.standing(known.alive, now), **known.unused}
        why = "; ".join(f"{node}: {each}" for node, each in sorted(refused.items()))
        if refused and not known.without(refused):
            reason = f"every fog node online was refused, to be tried again later ({why})"
        elif refused:
            reason = f"{reason} (refused: {why})"
        self._enter("waiting", now, reason)
        return Decisions(announce=True)

    def _worth_asking(self, circumstances: Circumstances, now: float) -> bool:
        """Return whether to compare: at once where a node became slow, else when all has been steady."""
        before = self._circumstances
        if before is None or before[0] != circumstances:
            self._circumstances, self._judged = (circumstances, now), False
        slower = before is not None and _slower(before[0], circumstances)
        since = self._circumstances[1] if self._circumstances else now
        if self._judged or self.serving is None or not (slower or now - since >= STEADY_S):
            return False
        self._judged = True
        return True

    def _refuse_the_late(self, now: float) -> None:
        epoch = self.preparing
        if epoch is None:
            return
        for node in sorted(epoch.nodes - self._ready):
            since = max(epoch.since, self._progressed.get(node, epoch.since))
            if now - since >= PREPARE_PATIENCE_S:
                self._refuse(node, epoch.sessions[node], "not ready in time", now)

    def _refuse(self, node: str, session: int, reason: str, now: float) -> None:
        self._refusals.add(node, session, reason, now)
        self._move("refused")

    def _prepare(self, layout: Layout, known: Knowledge, now: float) -> Decisions:
        self._move("placed")
        self.last_epoch += 1
        nodes = {*layout.placement.values(), layout.standby} - {""}
        self.preparing = Epoch(
            self.name,
            self.last_epoch,
            self.bundle,
            layout,
            {node: known.alive[node].session for node in sorted(nodes)},
            now,
            self._makes_room,
        )
        self._ready.clear()
        told = self.preparing.assignments("prepare")
        self._told |= told.keys()
        self._enter("preparing", now)
        return Decisions(told, announce=True)

    def _serve(self, epoch: Epoch, now: float) -> Decisions:
        self._move("ready")
        self.serving = replace(epoch, since=now)
        self._circumstances = None  # by then its partitions have been measured where they run
        self._makes_room = False
        self._refusals.forgive(epoch.nodes)
        told = epoch.assignments("serve")
        for node in self._told - told.keys():
            # An empty assignment: a node that is out of it drains, also when it comes back later.
            told[node] = Assignment(deployment=self.name, epoch=epoch.number, phase="serve")
        self._told = epoch.nodes
        self._enter("serving", now)
        return Decisions(told, epoch.active(), announce=True)

    def adopt(self, epoch: Epoch, *, settled: bool) -> None:
        """Take an epoch that served before the coordinator was started as the one that serves."""
        self.serving, self.last_epoch = epoch, max(self.last_epoch, epoch.number)
        self._told = epoch.nodes
        self.pursuit = "settled" if settled else "wanted"
        self._enter("serving", epoch.since)

    def resumed(self) -> Decisions:
        """Return what is to be told again after a restart."""
        if self.serving is None:
            return NONE
        told = self.serving.assignments("serve")
        return Decisions(told, self.serving.active(), announce=True)

    def _enter(self, phase: StatusPhase, now: float, reason: str = "") -> None:
        self._phase = (phase, reason, now)

    def status(self, wall_s: float = 0.0) -> Status:
        """Return what people are told, but for what is measured; ``wall_s`` turns our seconds into Unix seconds."""
        epoch = self.preparing or self.serving
        phase, reason, since = self._phase
        status = Status(
            deployment=self.name,
            revision=self.spec.revision,
            phase=phase,
            since=max(0.0, round(wall_s + since, 3)),
            reason=reason,
        )
        if epoch is None:
            return status
        fields = {
            "epoch": epoch.number,
            "placement": epoch.layout.placement,
            "standby": epoch.layout.standby,
            "predicted": epoch.predicted(),
        }
        return status.model_copy(update=fields)


def _slower(before: Circumstances, now: Circumstances) -> bool:
    """Return whether a node became slow, or slower than it was."""
    factors = dict(before.slow)
    return any(factor > factors.get(node, 1.0) for node, factor in now.slow)
