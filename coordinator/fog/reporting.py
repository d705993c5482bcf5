"""What people are told of the deployments: at once when something happens, else when it changed noticeably; pure."""

from collections.abc import Mapping

from broker.messages import NodeInfo, Status
from coordinator.fog.condition import EVERY_S, degraded, noticeable, rounded
from coordinator.fog.deployment import Deployment
from coordinator.fog.watch import Watch


class Reporting:
    """The last status of each deployment; ``wall_s`` added to the seconds of ``now`` gives Unix seconds."""

    def __init__(self, wall_s: float) -> None:
        self._wall_s = wall_s
        self._last: dict[str, Status] = {}
        self._next_at: dict[str, float] = {}

    def changed(self, deployment: Deployment) -> Status:
        """Return what is to be told at once; what was measured in the phase before is old."""
        status = self._last[deployment.name] = deployment.status(self._wall_s)
        return status

    def due(
        self, deployment: Deployment, watch: Watch, alive: Mapping[str, NodeInfo], now: float
    ) -> Status | None:
        """Return the status with what is measured, if it is time and it changed noticeably."""
        name = deployment.name
        before = self._last.get(name)
        if before is None or deployment.serving is None or now < self._next_at.get(name, 0.0):
            return None
        self._next_at[name] = now + EVERY_S
        nodes = deployment.serving.nodes
        unused = watch.unused(alive, now)
        gone = {node: "is gone" for node in nodes if node not in alive}
        gone |= {node: why for node, why in unused.items() if node in nodes}
        reasons = watch.reasons(alive, now)
        measured = watch.traffic.measured(name)
        status = deployment.status(self._wall_s)
        figures = {
            "measured": rounded(measured),
            "slow": dict(sorted(reasons.items())),
            "degraded": degraded(status, measured, gone, before.degraded),
        }
        status = status.model_copy(update=figures)
        if not noticeable(before, status):
            return None
        self._last[name] = status
        return status

    def forget(self, deployment: str) -> None:
        """Forget a deployment."""
        self._last.pop(deployment, None)
        self._next_at.pop(deployment, None)
