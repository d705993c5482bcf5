"""One deployment on its way: pure, facts in, messages out.

The states, and what moves a deployment from one to the next:

    (wanted)   -> preparing  every artifact of the bundle is here and a layout was found
    (wanted)   -> waiting    no layout on the nodes at hand
    waiting    -> preparing  a node came, a layout was found
    preparing  -> serving    every node of the new epoch reported ready: `active` names it
    preparing  -> preparing  a node of it died, failed, or got no further for PREPARE_PATIENCE_S:
                             placed anew without it
    serving    -> preparing  a node of it died, a new revision is wanted, or the fleet has been
                             the same for STEADY_S and a layout on it promises to answer much sooner

While an epoch is prepared the one before goes on serving. A node that was refused so may be used
again after REFUSED_S, and after twice as long with every time more. A node that comes and goes
causes no churn: what it would gain is asked once, when the fleet is steady.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from broker.messages import (
    Active,
    Assignment,
    BundleName,
    InputSpec,
    NodeInfo,
    Phase,
    Predicted,
    Report,
    Spec,
    Status,
    StatusPhase,
)
from coordinator.fog.layout import Layout, assignments, laid_out, predicted
from coordinator.fog.layout_request import LayoutRequest, Measured
from models.bundle import Bundle

PREPARE_PATIENCE_S: Final = 15.0
"""So long may a node that prepares get no further; one that fetches over a slow link does."""
REFUSED_S: Final = 20.0
REFUSED_MOST_S: Final = 600.0
STEADY_S: Final = 10.0
WORTH_IT: Final = 0.8
"""A steady fleet is placed anew for a predicted response time below this share of the present one."""

NodeSessions = frozenset[tuple[str, int]]
"""Fog nodes and their sessions."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One placement being carried out, and the session of each node when it was told."""

    number: int
    layout: Layout
    sessions: dict[str, int]
    since: float

    @property
    def nodes(self) -> set[str]:
        """The fog nodes that serve it."""
        return set(self.layout.placement.values())

    def broken(self, alive: Mapping[str, NodeInfo]) -> bool:
        """Return whether one of its nodes is gone, or is there in another life."""
        return any(
            node not in alive or alive[node].session != session
            for node, session in self.sessions.items()
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a session of a fog node is not used, until when, and which time in a row this is."""

    session: int
    reason: str
    until: float
    times: int


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be told: to fog nodes, to the cameras, to people."""

    assignments: dict[str, Assignment]
    active: Active | None = None
    status: Status | None = None


class Deployment:
    """A bundle that is wanted, with the epoch that serves and the one in preparation."""

    def __init__(self, spec: Spec, bundle: Bundle, last_epoch: int = 0) -> None:
        self.spec, self.bundle = spec, bundle
        self.serving: Epoch | None = None
        self.preparing: Epoch | None = None
        self.last_epoch = last_epoch
        self._served_bundle = bundle
        self._ready: set[str] = set()
        self._refused: dict[str, Refusal] = {}
        self._progressed: dict[str, float] = {}  # node -> when it last got further
        self._told: set[str] = set()
        self._wants_layout = True
        self._tried: NodeSessions | None = None
        self._steady: tuple[NodeSessions, float] | None = None
        self._judged = False

    @property
    def name(self) -> str:
        """What the cameras call it."""
        return self.spec.deployment

    @property
    def hashes(self) -> dict[str, str]:
        """The sha256 of the artifacts by partition, of the wanted bundle where two differ."""
        return {part.id: part.sha256 for bundle in self.bundles for part in bundle.partitions}

    @property
    def bundles(self) -> tuple[Bundle, Bundle]:
        """The bundle that serves and the one that is wanted, mostly the same."""
        return self._served_bundle, self.bundle

    @property
    def served_bundle(self) -> Bundle:
        """The bundle of the epoch that serves."""
        return self._served_bundle

    @property
    def told(self) -> frozenset[str]:
        """The fog nodes that may have something to do for it."""
        return frozenset(self._told)

    @property
    def wants_layout(self) -> bool:
        """Whether the epoch that serves is not what is wanted."""
        return self._wants_layout or self.preparing is not None

    def revise(self, spec: Spec, bundle: Bundle) -> None:
        """Take a new revision: the same or another bundle, to be placed anew."""
        self.spec, self.bundle, self.preparing = spec, bundle, None
        self._refused.clear()
        self._wants_layout, self._tried = True, None

    def reported(self, node: str, report: Report, now: float) -> Orders | None:
        """Take a fog node's report on the epoch in preparation."""
        epoch = self.preparing
        if epoch is None or report.epoch != epoch.number or node not in epoch.nodes:
            return None
        self.progressed(node, now)
        if report.status == "failed":
            self._refuse(node, report.session, report.reason, now)
            return None
        if report.status == "ready":
            self._ready.add(node)
        if self._ready >= epoch.nodes:
            return self._serve(epoch)
        return None

    def progressed(self, node: str, now: float) -> None:
        """Take note that a fog node got further with what it fetches and loads."""
        self._progressed[node] = now

    def wait_longer(self, now: float) -> None:
        """Give the nodes of the epoch in preparation all of their time again."""
        if self.preparing is not None:
            self.preparing = replace(self.preparing, since=now)

    def step(self, alive: Mapping[str, NodeInfo], measured: Measured, now: float) -> Orders | None:
        """Return what the fleet as it is asks for; call it whenever something changed."""
        epoch = self.preparing
        if epoch is not None:
            for node in epoch.nodes - self._ready:
                since = max(epoch.since, self._progressed.get(node, epoch.since))
                if now - since >= PREPARE_PATIENCE_S:
                    self._refuse(node, epoch.sessions[node], "not ready in time", now)
        latest = self.preparing or self.serving
        if latest is not None and latest.broken(alive):
            self._wants_layout = True
        refused = self._still_refused(alive, now)
        usable = {node: info for node, info in alive.items() if node not in refused}
        if self._wants_layout:
            return self._place(usable, refused, measured, now)
        return self._improve(usable, measured, now)

    def _still_refused(self, alive: Mapping[str, NodeInfo], now: float) -> dict[str, str]:
        """Return the nodes at hand that are not to be used yet, and why."""
        return {
            node: refusal.reason
            for node, refusal in sorted(self._refused.items())
            if node in alive and alive[node].session == refusal.session and now < refusal.until
        }

    def _refuse(self, node: str, session: int, reason: str, now: float) -> None:
        before = self._refused.get(node)
        times = before.times + 1 if before is not None and before.session == session else 1
        until = now + min(REFUSED_MOST_S, REFUSED_S * 2.0 ** min(times - 1, 10))
        self._refused[node] = Refusal(session, reason, until, times)
        self._wants_layout = True

    def _place(
        self,
        usable: Mapping[str, NodeInfo],
        refused: Mapping[str, str],
        measured: Measured,
        now: float,
    ) -> Orders | None:
        if _sessions(usable) == self._tried:
            return None  # what failed on these nodes fails again
        try:
            layout = laid_out(LayoutRequest(self.bundle, usable, measured))
        except ValueError as error:
            self.preparing, self._tried = None, _sessions(usable)
            why = "; ".join(f"{node}: {reason}" for node, reason in refused.items())
            if refused and not usable:
                reason = f"every fog node online was refused, to be tried again later ({why})"
            else:
                reason = f"{error} (refused: {why})" if refused else str(error)
            return Orders({}, status=self.status("waiting", reason))
        return self._prepare(layout, usable, now)

    def _improve(
        self, usable: Mapping[str, NodeInfo], measured: Measured, now: float
    ) -> Orders | None:
        fleet = _sessions(usable)
        if self._steady is None or self._steady[0] != fleet:
            self._steady, self._judged = (fleet, now), False
        if self._judged or self.serving is None or self.preparing is not None:
            return None
        if now - self._steady[1] < STEADY_S:
            return None
        self._judged = True
        request = LayoutRequest(self.bundle, usable, measured)
        present = predicted(request, self.serving.layout)
        layout = laid_out(request)
        if layout.response_s > WORTH_IT * present.response_s:
            return None
        return self._prepare(layout, usable, now)

    def _prepare(self, layout: Layout, usable: Mapping[str, NodeInfo], now: float) -> Orders:
        self._wants_layout, self._tried = False, None
        self.last_epoch += 1
        sessions = {node: usable[node].session for node in set(layout.placement.values())}
        self.preparing = Epoch(self.last_epoch, layout, sessions, now)
        self._ready.clear()
        told = self.assignments(self.preparing, "prepare")
        self._told |= told.keys()
        return Orders(told, status=self.status("preparing"))

    def _serve(self, epoch: Epoch) -> Orders:
        self.serving, self.preparing = epoch, None
        self._steady = None  # by then its partitions have been measured where they run
        self._served_bundle = self.bundle
        for node in epoch.nodes:
            self._refused.pop(node, None)
        told = self.assignments(epoch, "serve")
        for node in self._told - told.keys():
            # An empty assignment: a node that is out of it drains, also when it comes back later.
            told[node] = Assignment(deployment=self.name, epoch=epoch.number, phase="serve")
        self._told = epoch.nodes
        return Orders(told, self.active(), self.status("serving"))

    def assignments(self, epoch: Epoch, phase: Phase) -> dict[str, Assignment]:
        """Return what the nodes of an epoch are told."""
        bundle = self.bundle if epoch is self.preparing else self._served_bundle
        return assignments(self.name, epoch.number, phase, bundle, epoch.layout)

    def adopt(self, epoch: Epoch, bundle: Bundle, *, wants_layout: bool) -> None:
        """Take an epoch that served before the coordinator was started as the one that serves."""
        self.serving, self.last_epoch = epoch, max(self.last_epoch, epoch.number)
        self._served_bundle = bundle
        self._told = epoch.nodes
        self._wants_layout = wants_layout

    def active(self) -> Active | None:
        """Return what the cameras are told."""
        if self.serving is None:
            return None
        bundle = self._served_bundle
        return Active(
            deployment=self.name,
            epoch=self.serving.number,
            bundle=BundleName(name=bundle.name, version=bundle.version),
            classes=bundle.classes,
            input=InputSpec.model_validate(bundle.input.model_dump()),
            fusion=(self.serving.layout.placement[bundle.fusion.id],),
        )

    def status(self, phase: StatusPhase, reason: str = "") -> Status:
        """Return what people are told."""
        epoch = self.preparing or self.serving
        return Status(
            deployment=self.name,
            revision=self.spec.revision,
            phase=phase,
            epoch=epoch.number if epoch else 0,
            reason=reason,
            placement=epoch.layout.placement if epoch else {},
            predicted=Predicted(
                response_s=epoch.layout.response_s, lower_bound_s=epoch.layout.lower_bound_s
            )
            if epoch
            else None,
        )


def _sessions(nodes: Mapping[str, NodeInfo]) -> NodeSessions:
    return frozenset((node, info.session) for node, info in nodes.items())
