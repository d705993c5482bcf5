"""One deployment on its way: pure, facts in, decisions out.

``pursuit.TRANSITIONS`` is how it pursues what is wanted, beside the epoch that serves. While an epoch is
placed and prepared, the one before goes on serving. A node that comes and goes causes no churn: what
it would gain is asked once, when the fleet has been steady for a while.
"""

from dataclasses import replace

from broker.epoch_order import epoch_after, is_later
from broker.messages import Assignment, Report, Spec, Status
from coordinator.fog.comparison import Comparison
from coordinator.fog.concessions import Concessions
from coordinator.fog.decisions import NONE, Decisions, Question
from coordinator.fog.epoch import Epoch, UsualSeconds
from coordinator.fog.held import Held, held_together, overfull
from coordinator.fog.knowledge import Knowledge, NodeSessions, sessions
from coordinator.fog.layout import Layout
from coordinator.fog.phase import Phase
from coordinator.fog.placing import Placed
from coordinator.fog.preparation import Preparation
from coordinator.fog.pursuit import TRANSITIONS, Event, Pursuit
from coordinator.fog.refusals import Refusals, why_none
from models.bundle import Bundle


class Deployment:
    """A bundle that is wanted, with the epoch that serves and the one in preparation.

    ``assigned`` are fog nodes that may have something to do for it.
    """

    def __init__(
        self,
        spec: Spec,
        bundle: Bundle,
        last_epoch: int = 0,
        assigned: frozenset[str] = frozenset(),
    ) -> None:
        self.spec, self.bundle = spec, bundle
        self.serving: Epoch | None = None
        self.last_epoch = last_epoch
        self.pursuit: Pursuit = "wanted"
        self._preparation: Preparation | None = None
        self.phase = Phase(spec.deployment, spec.revision)
        self._refusals = Refusals()
        self.assigned = assigned
        self._asked = 0
        self._asked_of: NodeSessions = frozenset()
        self._revised = True
        """Whether something else is wanted than what serves."""
        self._concessions = Concessions()
        self._comparison = Comparison()

    @property
    def name(self) -> str:
        """What the cameras call it."""
        return self.spec.deployment

    @property
    def preparing(self) -> Epoch | None:
        """The epoch in preparation."""
        return self._preparation.epoch if self._preparation is not None else None

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epoch that serves and the one in preparation, where there are such."""
        return tuple(epoch for epoch in (self.serving, self.preparing) if epoch is not None)

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The bundles of its epochs, and the one that is wanted."""
        return (*(epoch.bundle for epoch in self.epochs), self.bundle)

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
            self._preparation = None
        return self.pursuit != before

    # --- what happens -----------------------------------------------------------------------

    def revise(self, spec: Spec, bundle: Bundle) -> None:
        """Take a new revision: the same or another bundle, to be placed anew."""
        self.spec, self.bundle = spec, bundle
        self._refusals.clear()
        self._concessions.withdraw()
        self._revised = True
        self._move("revised")

    def number_above(self, epoch: int) -> None:
        """Take note of an epoch that somebody used: if that was not us, it is in the way of what serves."""
        if is_later(epoch, self.last_epoch):
            self.last_epoch, self._revised = epoch, True
            self._move("overtaken")

    def adopt(self, epoch: Epoch, *, settled: bool) -> None:
        """Take an epoch that served before the coordinator was started as the one that serves."""
        self.serving = epoch
        if is_later(epoch.number, self.last_epoch):
            self.last_epoch = epoch.number
        self.assigned |= epoch.nodes
        self.pursuit, self._revised = "settled" if settled else "wanted", not settled
        self.phase.enter("serving", self.spec.revision, epoch.since)

    def resumed(self) -> Decisions:
        """Return what is to be told again after a restart."""
        if self.serving is None:
            return NONE
        assignments = self.serving.assignments("serve")
        return Decisions(assignments, self.serving.active(), announce=True)

    def reported(self, node: str, report: Report, usual_s: UsualSeconds, now: float) -> Decisions:
        """Take a fog node's report on an epoch of ours; ``usual_s`` knows its seconds already."""
        preparation, failed = self._preparation, report.status == "failed"
        if failed and self.serving is not None and self.serving.lives_on(node, report):
            self.serving = self.serving.failed_on(node)
            self._refusals.add(node, report.session, report.reason, now)
        if preparation is None or not preparation.epoch.is_of(node, report):
            return NONE
        preparation.progressed(node, now)
        if failed:
            self._refuse(node, report.session, report.reason, now)
            return NONE
        if report.status == "ready":
            preparation.ready(node)
        if preparation.complete:
            return self._serve(preparation.epoch.begun(usual_s, now))
        return Decisions(preparation.next(now))

    def forget(self, node: str) -> None:
        """Forget a node that is gone for good: there is nothing to relieve it of."""
        self.assigned -= {node}

    def progressed(self, node: str, now: float) -> None:
        """Take note that a fog node got further with what it fetches and loads."""
        if self._preparation is not None:
            self._preparation.progressed(node, now)

    def wait_longer(self, now: float) -> None:
        """Give the nodes of the epoch in preparation all of their time again."""
        if self._preparation is not None:
            self._preparation.wait_longer(now)

    def asked(self, number: int) -> None:
        """Take note of the number that the placer gave the question; earlier answers are stale."""
        self._asked = number

    def placed(self, answer: Placed, known: Knowledge, now: float) -> Decisions:
        """Take the placer's answer."""
        if answer.number != self._asked or self.pursuit not in ("comparing", "placing"):
            return NONE
        known = self._concessions.applied(known, self._refusals.standing(known.alive, now))
        usable = known.without(self._refusals.standing(known.alive, now))
        layout = answer.layout
        if sessions(usable) != self._asked_of:
            # Another fleet than was asked about; whether it still matters is seen at the next step.
            self._move("kept" if self.pursuit == "comparing" else "changed")
            return NONE
        if self.pursuit == "comparing":
            rate = known.frames_per_s
            if layout is None or not self._comparison.better(answer.present, layout, rate):
                self._move("kept")
                if self.serving is not None and answer.present is not None:
                    self.serving = self.serving.foreseen(answer.present)
                return NONE
            return self._prepare(layout, known, now)
        if layout is None:
            return self._unplaceable(answer.reason, known, now)
        return self._prepare(layout, known, now)

    # --- what follows -----------------------------------------------------------------------

    def step(self, known: Knowledge, now: float) -> Decisions:
        """Return what follows from what is known; call it whenever something changed."""
        self._refuse_the_late(known, now)
        known = self._concessions.applied(known, self._refusals.standing(known.alive, now))
        latest = self.preparing or self.serving
        if latest is not None and (
            latest.broken(known.alive) or latest.nodes & known.unused.keys()
        ):
            self._move("broken")
        usable = known.without(self._refusals.standing(known.alive, now))
        if self.pursuit in ("placing", "waiting") and sessions(usable) != self._asked_of:
            self._concessions.withdraw()
            self._move("changed")
        if self.pursuit == "settled" and self._comparison.due(known.circumstances(usable), now):
            self._move("reconsidered")
            self._asked_of = sessions(usable)
            request = known.request(self.bundle, usable, held_together([known.held(), self.held()]))
            present = self.serving.layout if self.serving else None
            return Decisions(question=Question(request, present))
        return self._ask(known, now) if self.pursuit == "wanted" else NONE

    def _ask(self, known: Knowledge, now: float) -> Decisions:
        """Ask for a layout beside what serves, or in its place where two do not fit."""
        usable = known.without(self._refusals.standing(known.alive, now))
        self._asked_of = sessions(usable)
        self._move("asked")
        kept = (
            known.held()
            if self._concessions.makes_room
            else held_together([known.held(), self.held()])
        )
        try:
            return Decisions(question=Question(known.request(self.bundle, usable, kept)))
        except ValueError as error:
            return self._unplaceable(str(error), known, now)

    def _unplaceable(self, reason: str, known: Knowledge, now: float) -> Decisions:
        """Go on with what serves, concede something and ask again, or wait."""
        serving, refused = self.serving, self._refusals.standing(known.alive, now)
        whole = serving is not None and not self._revised and not serving.broken(known.alive)
        if serving is not None and whole and not serving.nodes & known.unused.keys():
            return self._keep(serving)
        if serving is not None and self._concessions.make_room():
            self._move("changed")
            return self._ask(known, now)
        if self._concessions.use_all(known, refused):
            if serving is not None and whole:
                return self._keep(serving)
            self._move("changed")
            return self._ask(known.with_unused(), now)
        self._move("unplaceable")
        nobody = not known.without(refused)
        self.phase.enter(
            "waiting", self.spec.revision, now, why_none(reason, refused, nobody=nobody)
        )
        return Decisions(announce=True)

    def _keep(self, serving: Epoch) -> Decisions:
        """Go on with what serves: what is wanted does, and there is no layout instead."""
        self._move("kept")
        self._concessions.withdraw()
        if self.phase.serves:
            return NONE
        self.phase.enter("serving", self.spec.revision, serving.since)
        return Decisions(announce=True)

    def _refuse_the_late(self, known: Knowledge, now: float) -> None:
        preparation = self._preparation
        if preparation is None:
            return
        for node in preparation.late(now):
            lacks = next(
                (p for p in preparation.epoch.runs(node) if p.sha256 in known.missing), None
            )
            reason = (
                f"partition {lacks.id}: nobody has the artifact" if lacks else "not ready in time"
            )
            self._refuse(node, preparation.epoch.sessions[node], reason, now)

    def _refuse(self, node: str, session: int, reason: str, now: float) -> None:
        self._refusals.add(node, session, reason, now)
        self._move("refused")

    def _prepare(self, layout: Layout, known: Knowledge, now: float) -> Decisions:
        self._move("placed")
        self.last_epoch = epoch_after(self.last_epoch)
        lives = {node: known.alive[node].session for node in sorted(layout.nodes)}
        signature = self.spec.signature
        epoch = Epoch(
            self.name, self.last_epoch, self.bundle, layout, lives, now, signature=signature
        )
        if self._concessions.makes_room:
            memory = {node: known.alive[node].memory_bytes for node in layout.nodes}
            together = held_together([known.held(), self.held(), epoch.held()])
            epoch = replace(epoch, evicts=overfull(memory, together))
        self._preparation = Preparation(epoch, now)
        self.assigned |= epoch.nodes
        self.phase.enter("preparing", self.spec.revision, now)
        return Decisions(self._preparation.first(), announce=True)

    def _serve(self, epoch: Epoch) -> Decisions:
        self._move("ready")
        self.serving = epoch
        self._comparison.restart()
        self._concessions.withdraw()
        self._revised = False
        self._refusals.forgive(epoch.nodes)
        assignments = epoch.assignments("serve")
        for node in self.assigned - assignments.keys():
            # An empty assignment: a node that is out of it drains, also when it comes back later.
            assignments[node] = Assignment(deployment=self.name, epoch=epoch.number, phase="serve")
        self.assigned = epoch.nodes
        self.phase.enter("serving", self.spec.revision, epoch.since)
        return Decisions(assignments, epoch.active(), announce=True)

    def status(self, wall_s: float = 0.0) -> Status:
        """Return what people are told, but for what is measured; ``wall_s`` turns our seconds into Unix seconds."""
        return self.phase.status(self.preparing or self.serving, wall_s)
