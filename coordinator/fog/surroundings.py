"""What is known of the fog when one of its deployments is decided on: the others, the nodes, the rates; pure."""

from collections.abc import Container, Mapping
from contextlib import suppress

from coordinator.fog.deployment import Deployment
from coordinator.fog.epoch import Epoch
from coordinator.fog.fleet import Fleet
from coordinator.fog.held import held_together
from coordinator.fog.knowledge import Knowledge
from coordinator.fog.layout import neighbour, taken_by
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.load import slowed, together
from coordinator.fog.taken import Taken
from coordinator.fog.watch import Watch
from evolution.placement.shared import Neighbour


class Surroundings:
    """A site at one moment, seen from each of its deployments."""

    def __init__(
        self,
        fleet: Fleet,
        watch: Watch,
        deployments: Mapping[str, Deployment],
        missing: Container[str],
        now: float,
    ) -> None:
        self._fleet, self._watch, self._deployments = fleet, watch, deployments
        self._missing, self._now = missing, now
        self._alive = fleet.alive(now)
        self._unused = watch.unused(self._alive, now)
        self._factors = watch.factors(self._alive, now)
        self._takes: dict[str, dict[str, Taken]] = {}
        self._met: dict[str, Neighbour | None] = {}

    def of(self, deployment: Deployment) -> Knowledge:
        """Return what a placement of this deployment has to reckon with."""
        others = [d for name, d in self._deployments.items() if name != deployment.name]
        return Knowledge(
            self._alive,
            self._unused,
            self._factors,
            self._fleet.measured,
            self._watch.traffic.rate(deployment.name).to_place_for,
            self._missing,
            frozenset(
                (other.name, other.serving.number, self._served(other) or 0.0)
                for other in others
                if other.serving is not None
            ),
            lambda: together(self._taken(other) for other in others),
            lambda: held_together(other.held() for other in others),
            self._watch.traffic.cameras(deployment.name, self._now),
            lambda: tuple(found for other in others if (found := self._beside(other)) is not None),
            sum(part.sha256 in self._fleet.learned for part in deployment.bundle.partitions),
            self._fleet.expected,
        )

    def _served(self, deployment: Deployment) -> float | None:
        return self._watch.traffic.rate(deployment.name).served

    def _taken(self, deployment: Deployment) -> dict[str, Taken]:
        """Return what a deployment takes of the nodes that are there, at the rate it serves."""
        served = self._served(deployment)
        epoch = deployment.serving
        if epoch is None or served is None:
            return {}
        if deployment.name not in self._takes:
            self._takes[deployment.name] = {}
            with suppress(ValueError):  # one of its nodes is gone: it will be placed anew itself
                request = self._request(epoch)
                self._takes[deployment.name] = taken_by(request, epoch.layout, served)
        return self._takes[deployment.name]

    def _beside(self, deployment: Deployment) -> Neighbour | None:
        """Return a deployment as its neighbours meet it, None where it computes nothing."""
        if deployment.name not in self._met:
            self._met[deployment.name] = self._neighbour(deployment)
        return self._met[deployment.name]

    def _neighbour(self, deployment: Deployment) -> Neighbour | None:
        cameras = self._watch.traffic.cameras(deployment.name, self._now)
        epoch = deployment.serving
        if epoch is None or cameras is None or not epoch.nodes <= self._alive.keys():
            return None
        return neighbour(self._request(epoch), epoch.layout, cameras)

    def _request(self, epoch: Epoch) -> LayoutRequest:
        """Return what is known of the nodes that an epoch uses: of a hundred the others do not matter."""
        nodes = {node: info for node, info in self._alive.items() if node in epoch.nodes}
        slower = slowed(epoch.bundle, nodes, self._fleet.expected, self._factors)
        return LayoutRequest(epoch.bundle, nodes, self._fleet.measured, slower)
