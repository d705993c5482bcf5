"""From what a site retains to the epoch that serves: for a coordinator that lost its folder; pure.

The broker and the fog nodes hold all of it: the spec has the bundle, `active` the epoch, assignments
and status say who runs what, and the fog nodes have the artifacts.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from broker.epoch_order import is_later
from broker.messages import Active, Assignment, Predicted, Report, Status
from coordinator.fog.epoch import Epoch
from coordinator.fog.fleet import NodeRecord
from coordinator.fog.layout import Layout
from models.bundle import Bundle


@dataclass(slots=True)
class Heard:
    """What was said on retained topics, by whichever coordinator, and by the fog nodes."""

    active: dict[str, Active] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    """The last by deployment, also of those that ended."""
    statuses: dict[str, Status] = field(default_factory=dict)
    assignments: dict[str, dict[str, Assignment]] = field(default_factory=dict)
    """By node, then by deployment."""
    reports: dict[str, Report] = field(default_factory=dict)

    def activated(self, deployment: str, active: Active | None) -> None:
        """Take what the cameras are told; None: nothing any more."""
        self.active.pop(deployment, None)
        if active is not None:
            self.active[deployment] = active
            self.numbered(deployment, active.epoch)

    def assigned(self, node: str, assignment: Assignment) -> None:
        """Take what a fog node is told."""
        self.assignments.setdefault(node, {})[assignment.deployment] = assignment
        self.numbered(assignment.deployment, assignment.epoch)

    def reported(self, node: str, report: Report, *, numbers: bool) -> None:
        """Take what a fog node says of what it was told; ``numbers``: it may know of a later epoch."""
        self.reports[node] = report
        if numbers:
            self.numbered(report.deployment, report.epoch)

    def numbered(self, deployment: str, epoch: int) -> None:
        """Take note of an epoch that somebody used, unless it is too far ahead to be anyone's."""
        if is_later(epoch, self.epochs.get(deployment, 0)):
            self.epochs[deployment] = epoch

    def holders(self, sha256: str, online: AbstractSet[str], *, anyone: bool) -> list[str]:
        """Return whom to ask for an artifact: nodes that were assigned it, a client, then anyone."""
        likely = sorted(
            node
            for node, by_deployment in self.assignments.items()
            if node in online
            and any(
                part.sha256 == sha256
                for assignment in by_deployment.values()
                for part in assignment.partitions
            )
        )
        return [*likely, "", *(sorted(online - {*likely}) if anyone else [])]

    def serves_since(self, epoch: Epoch | None, wall_s: float) -> float | None:
        """Return when an epoch began to serve, if the status says so; ``wall_s`` is Unix time at our 0."""
        status = self.statuses.get(epoch.deployment) if epoch is not None else None
        if status is None or epoch is None or status.phase != "serving":
            return None
        return status.since - wall_s if status.epoch == epoch.number else None

    def of(self, deployment: str) -> Iterator[tuple[str, Assignment]]:
        """Yield the last assignments to every node in a deployment."""
        for node, by_deployment in sorted(self.assignments.items()):
            if deployment in by_deployment:
                yield node, by_deployment[deployment]

    def measurements(self) -> Iterator[tuple[str, Report, dict[str, str]]]:
        """Yield what fog nodes measured of what they were assigned last, with the sha256 by partition."""
        for node, report in sorted(self.reports.items()):
            assignment = self.assignments.get(node, {}).get(report.deployment)
            if assignment is not None and assignment.epoch == report.epoch:
                yield node, report, {part.id: part.sha256 for part in assignment.partitions}

    def forget_node(self, node: str) -> None:
        """Forget a fog node that is gone for good."""
        self.assignments.pop(node, None)
        self.reports.pop(node, None)

    def forget(self, deployment: str) -> None:
        """Forget a deployment that ended."""
        self.active.pop(deployment, None)
        self.statuses.pop(deployment, None)
        for by_deployment in self.assignments.values():
            by_deployment.pop(deployment, None)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The epoch that serves, and what its nodes are to be told so that they know it, too."""

    epoch: Epoch
    assignments: dict[str, Assignment]


def recovered(
    deployment: str, bundle: Bundle, heard: Heard, nodes: Mapping[str, NodeRecord], now: float
) -> Recovered | None:
    """Return the epoch that serves, or None where it cannot be told, or is of another bundle.

    A node's topic retains its last assignment only, whatever deployment it is of. So the status counts,
    too, if the node itself says that it runs what stands there.
    """
    active = heard.active.get(deployment)
    if active is None:
        return None
    parts = _Placed(bundle)
    known = {}
    for node, assignment in heard.of(deployment):
        if assignment.epoch == active.epoch and not parts.take(node, assignment):
            return None
        empty = {"epoch": active.epoch, "partitions": (), "inputs": (), "outputs": ()}
        if assignment.epoch < active.epoch:
            known[node] = assignment.model_copy(update={**empty, "phase": "serve"})
        elif assignment.epoch == active.epoch:
            known[node] = assignment.model_copy(update={"phase": "serve"})
    status = heard.statuses.get(deployment)
    if status is None or status.epoch != active.epoch:
        status = None
    else:
        parts.add(status, nodes, heard.reports)
    if parts.placement.keys() != {part.id for part in bundle.partitions}:
        return None
    layout = _layout(parts, status)
    lives = {node: _session(nodes.get(node)) for node in sorted(layout.nodes)}
    signed = (assignment.signature for assignment in known.values() if assignment.signature)
    epoch = Epoch(
        deployment, active.epoch, bundle, layout, lives, now, signature=next(signed, None)
    )
    return Recovered(epoch, known)


class _Placed:
    """Which partition runs where at which priority, as far as it is known."""

    def __init__(self, bundle: Bundle) -> None:
        self._hashes = {part.id: part.sha256 for part in bundle.partitions}
        self._fusion = bundle.fusion.id
        self.placement: dict[str, str] = {}
        self.priority: dict[str, float] = {}
        self.standby = ""

    def take(self, node: str, assignment: Assignment) -> bool:
        """Take an assignment; return whether it is of this bundle."""
        for part in assignment.partitions:
            if self._hashes.get(part.id) != part.sha256:
                return False
            if part.fusion is not None and part.fusion.first:
                self.standby = node
            else:
                self.placement[part.id], self.priority[part.id] = node, part.priority
        return True

    def add(
        self, status: Status, nodes: Mapping[str, NodeRecord], reports: Mapping[str, Report]
    ) -> None:
        """Add what a status says of nodes that say so themselves."""
        for part, node in status.placement.items():
            if part in self._hashes and part not in self.placement:
                record = nodes.get(node)
                if record is not None and _runs(record, reports.get(node), status, [part]):
                    self.placement[part], self.priority[part] = node, 0.0
        record = nodes.get(status.standby)
        if not self.standby and record is not None:
            runs = _runs(record, reports.get(status.standby), status, [self._fusion])
            self.standby = status.standby if runs else ""


def _runs(record: NodeRecord, report: Report | None, status: Status, parts: Iterable[str]) -> bool:
    """Return whether a node says that it is ready with the epoch, or that it runs these partitions."""
    if report is not None and report.status == "ready":
        said = report.session, report.deployment, report.epoch
        if said == (_session(record), status.deployment, status.epoch):
            return True
    seconds = record.beat.seconds.get(status.deployment, {}) if record.beat is not None else {}
    return all(part in seconds for part in parts)


def _session(record: NodeRecord | None) -> int:
    """Return a node's session; one that is not there has none that fits, so its epoch counts as broken."""
    return record.info.session if record is not None and record.info is not None else 0


def _layout(parts: _Placed, status: Status | None) -> Layout:
    predicted = Predicted(response_s=0.0, lower_bound_s=0.0)
    if status is not None and status.predicted is not None:
        predicted = status.predicted
    return Layout(
        parts.placement,
        parts.priority,
        predicted.response_s,
        predicted.lower_bound_s,
        predicted.frames_per_s,
        predicted.p95_s,
        {},
        parts.standby,
    )
