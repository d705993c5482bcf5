"""One placement being carried out: what it is of, where it runs, and what its fog nodes are told; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from broker.messages import (
    Active,
    Assignment,
    BundleName,
    NodeInfo,
    Phase,
    Predicted,
    Report,
    Signature,
)
from broker.ranges import MOST_RATE, MOST_SECONDS
from broker.tensor_specs import InputSpec
from coordinator.fog.assignments import assignments
from coordinator.fog.held import held_by
from coordinator.fog.layout import Layout
from coordinator.fog.served import Served, chains
from models.bundle import Bundle, BundlePartition

UsualSeconds = Callable[[str, str], float | None]
"""What an artifact usually takes on a fog node: (node, sha256) -> seconds, None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A bundle on a layout, with the session of each node when it was told.

    ``since`` is when it was told to prepare, or to serve, in monotonic seconds. On the nodes that it
    ``evicts`` there is no memory for it and the epoch before, which ends there; those of its nodes that
    ``failed`` served it and gave it up. ``signature`` is the operator's, where its spec was signed.
    """

    deployment: str
    number: int
    bundle: Bundle
    layout: Layout
    sessions: Mapping[str, int]
    since: float
    evicts: frozenset[str] = frozenset()
    signature: Signature | None = None
    failed: frozenset[str] = frozenset()

    @property
    def nodes(self) -> frozenset[str]:
        """The fog nodes that it needs, the standby of its fusion included."""
        return self.layout.nodes

    @property
    def fusion(self) -> tuple[str, ...]:
        """The fog nodes that answer: the first and, if there is one, its standby."""
        first = self.layout.placement[self.bundle.fusion.id]
        return (first, self.layout.standby) if self.layout.standby else (first,)

    def runs(self, node: str) -> list[BundlePartition]:
        """Return what a node runs, but for the fusion that it stands by for."""
        return [p for p in self.bundle.partitions if self.layout.placement[p.id] == node]

    def all_on(self, node: str) -> list[BundlePartition]:
        """Return what a node runs, with the fusion that it stands by for."""
        stands_by = self.bundle.fusion.id if node == self.layout.standby else None
        return [
            p
            for p in self.bundle.partitions
            if self.layout.placement[p.id] == node or p.id == stands_by
        ]

    def broken(self, alive: Mapping[str, NodeInfo]) -> bool:
        """Return whether one of its nodes is gone, is there in another life, or gave it up."""
        return bool(self.failed) or any(
            node not in alive or alive[node].session != self.sessions[node] for node in self.nodes
        )

    def is_of(self, node: str, report: Report) -> bool:
        """Return whether a report is that of one of its nodes on it."""
        return node in self.nodes and report.epoch == self.number

    def lives_on(self, node: str, report: Report) -> bool:
        """Return whether a report is on it, of a node as it was told, and one that has not given it up."""
        same = self.sessions.get(node) == report.session
        return self.is_of(node, report) and same and node not in self.failed

    def failed_on(self, node: str) -> "Epoch":
        """Return it without a node that gave it up while it served."""
        return replace(self, failed=self.failed | {node})

    def begun(self, usual_s: UsualSeconds, now: float) -> "Epoch":
        """Return it as it begins to serve: what its partitions should take has been measured by now."""
        placement, seconds = self.layout.placement, dict(self.layout.seconds)
        for part in self.bundle.partitions:
            measured = usual_s(placement[part.id], part.sha256)
            if measured is not None:
                seconds[part.id] = measured
        return replace(self, since=now, layout=replace(self.layout, seconds=seconds))

    def foreseen(self, layout: Layout) -> "Epoch":
        """Return it with what its own ``layout`` is predicted to reach at the rate that is known by now.

        The response time stays: it decides how long the fusion waits, which the nodes were told.
        """
        foreseen = replace(self.layout, frames_per_s=layout.frames_per_s, p95_s=layout.p95_s)
        return replace(self, layout=foreseen)

    def assignments(self, phase: Phase) -> dict[str, Assignment]:
        """Return what each of its nodes is told."""
        assigned = assignments(self.deployment, self.number, phase, self.bundle, self.layout)
        for node in self.evicts & assigned.keys():
            assigned[node] = assigned[node].model_copy(update={"makes_room": True})
        if self.signature is None:
            return assigned
        signed = {"signature": self.signature}
        return {node: each.model_copy(update=signed) for node, each in assigned.items()}

    def active(self) -> Active:
        """Return what the cameras are told."""
        return Active(
            deployment=self.deployment,
            epoch=self.number,
            bundle=BundleName(name=self.bundle.name, version=self.bundle.version),
            classes=self.bundle.classes,
            input=InputSpec.model_validate(self.bundle.input.model_dump()),
            fusion=self.fusion,
        )

    def held(self) -> dict[str, dict[str, int]]:
        """Return what it holds of every node's memory: bytes by artifact."""
        held = held_by(self.bundle, self.layout.placement)
        if self.layout.standby:
            fusion = self.bundle.fusion.id
            part = next(part for part in self.bundle.partitions if part.id == fusion)
            held.setdefault(self.layout.standby, {})[part.sha256] = part.memory_bytes
        return held

    def served(self) -> Served:
        """Return what those who watch it need to know."""
        return Served(
            epoch=self.number,
            since=self.since,
            placement=self.layout.placement,
            expected_s=self.layout.seconds,
            predicted_s=max(self.layout.response_s, self.layout.p95_s or 0.0),
            fusion=self.fusion,
            chains=chains(self.bundle, self.layout.placement),
        )

    def predicted(self) -> Predicted:
        """Return what people are told that it should reach."""
        return Predicted(
            response_s=min(self.layout.response_s, MOST_SECONDS),
            lower_bound_s=min(self.layout.lower_bound_s, MOST_SECONDS),
            frames_per_s=_at_most(self.layout.frames_per_s, MOST_RATE),
            p95_s=_at_most(self.layout.p95_s, MOST_SECONDS),
        )

    def status_fields(self) -> dict[str, Any]:
        """Return the fields of :class:`~broker.messages.Status` that are of the epoch."""
        return {
            "epoch": self.number,
            "placement": self.layout.placement,
            "standby": self.layout.standby,
            "predicted": self.predicted(),
        }


def _at_most(value: float | None, most: float) -> float | None:
    return None if value is None else min(value, most)
