"""From what a site retains to the epoch that serves: for a coordinator that lost its folder; pure.

The brokers and the fog nodes hold all of it: the spec has the bundle, `active` the epoch, the
assignments say who runs what, and the fog nodes have the artifacts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.messages import Active, Assignment, NodeInfo, Predicted, Status
from coordinator.fog.epoch import Epoch
from coordinator.fog.layout import Layout
from models.bundle import Bundle


@dataclass(slots=True)
class Heard:
    """What others (earlier coordinators) said on retained topics, by deployment or node."""

    active: dict[str, Active] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    assignments: dict[str, dict[str, Assignment]] = field(default_factory=dict)
    """By node, then by deployment."""

    def holders(self, sha256: str) -> list[str]:
        """Return the fog nodes that were assigned an artifact, and so have it."""
        return sorted(
            node
            for node, by_deployment in self.assignments.items()
            if any(
                part.sha256 == sha256
                for assignment in by_deployment.values()
                for part in assignment.partitions
            )
        )


def recovered(
    deployment: str, bundle: Bundle, heard: Heard, nodes: Mapping[str, NodeInfo], now: float
) -> Epoch | None:
    """Return the epoch that serves, or None where it cannot be told, or is of another bundle."""
    active = heard.active.get(deployment)
    if active is None:
        return None
    told = {
        node: by_deployment[deployment]
        for node, by_deployment in sorted(heard.assignments.items())
        if deployment in by_deployment and by_deployment[deployment].epoch == active.epoch
    }
    hashes = {part.id: part.sha256 for part in bundle.partitions}
    placement: dict[str, str] = {}
    priority: dict[str, float] = {}
    standby = ""
    for node, assignment in told.items():
        for part in assignment.partitions:
            if hashes.get(part.id) != part.sha256:
                return None
            if part.fusion is not None and part.fusion.first:
                standby = node
            else:
                placement[part.id], priority[part.id] = node, part.priority
    if placement.keys() != hashes.keys():
        return None
    predicted = _predicted(heard.statuses.get(deployment), active.epoch)
    layout = Layout(
        placement,
        priority,
        predicted.response_s,
        predicted.lower_bound_s,
        predicted.frames_per_s,
        predicted.p95_s,
        {},
        standby,
    )
    used = {*placement.values(), standby} - {""}
    # A node that is not there (any more) has no session that fits, so the epoch counts as broken.
    sessions = {node: nodes[node].session if node in nodes else -1 for node in sorted(used)}
    return Epoch(deployment, active.epoch, bundle, layout, sessions, now)


def _predicted(status: Status | None, epoch: int) -> Predicted:
    if status is not None and status.epoch == epoch and status.predicted is not None:
        return status.predicted
    return Predicted(response_s=0.0, lower_bound_s=0.0)
