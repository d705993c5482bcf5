"""What partitions take is learned from what serves: at loading a processor may be busy, or idler than ever after; pure."""

from collections.abc import Mapping
from typing import Final

from coordinator.fog.deployment import Deployment
from coordinator.fog.fleet import Fleet
from coordinator.fog.recovery import Heard
from coordinator.fog.watch import Watch

EVERY_S: Final = 2.0


class Learning:
    """Tells the fleet what runs take: every few seconds while they serve, and at first by old reports."""

    def __init__(self, fleet: Fleet, watch: Watch) -> None:
        self._fleet, self._watch = fleet, watch
        self._due_at = 0.0

    def recall(self, heard: Heard) -> None:
        """Take what fog nodes measured before we acted, where our folder does not know better."""
        known = {sha256 for _, sha256 in self._fleet.measured}
        for node, report, hashes in heard.measurements():
            unknown = {part: sha256 for part, sha256 in hashes.items() if sha256 not in known}
            self._fleet.report(node, report, unknown)

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
