"""What partitions take is learned from what serves: at loading a processor may be busy, or idler than ever after; pure."""

from collections.abc import Mapping
from typing import Final

from coordinator.fog.deployment import Deployment
from coordinator.fog.fleet import Fleet
from coordinator.fog.watch import Watch

EVERY_S: Final = 2.0


class Learning:
    """Tells the fleet every few seconds what runs take while they serve."""

    def __init__(self, fleet: Fleet, watch: Watch) -> None:
        self._fleet, self._watch = fleet, watch
        self._due_at = 0.0

    def learn(self, deployments: Mapping[str, Deployment], now: float) -> None:
        """Learn if it is time to; call it several times a second."""
        if now < self._due_at:
            return
        self._due_at = now + EVERY_S
        hashes = {
            (name, part.id): part.sha256
            for name, deployment in deployments.items()
            if deployment.serving is not None
            for part in deployment.serving.bundle.partitions
        }
        for run in self._watch.usual_runs(now):
            sha256 = hashes.get((run.deployment, run.partition))
            if sha256 is not None:
                self._fleet.served(run.node, sha256, run.seconds)
