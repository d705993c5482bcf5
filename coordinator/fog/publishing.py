"""What is published of the deployments: assignments, `active`, status; pure."""

from collections.abc import Mapping

from broker.actions import Publish
from broker.messages import Active, Assignment, NodeInfo, Spec, Status, StatusPhase
from broker.retained import Retained
from broker.topics import ACTIVE, NODE_ASSIGNMENT, SPEC, STATUS
from coordinator.fog.deployment import Deployment
from coordinator.fog.last_assignments import LastAssignments
from coordinator.fog.reporting import Reporting
from coordinator.fog.watch import Watch


class Publishing:
    """The messages of one site; ``wall_s`` added to the seconds of ``now`` gives Unix seconds."""

    def __init__(self, site: str, wall_s: float) -> None:
        self.retained = Retained(site)
        self._assignments = LastAssignments()
        self._reporting = Reporting(wall_s)

    def assign(self, assignments: Mapping[str, Assignment]) -> list[Publish]:
        """Tell fog nodes what to do."""
        messages = []
        for node, assignment in assignments.items():
            self._assignments.note(node, assignment)
            messages += self.retained.publish(NODE_ASSIGNMENT, assignment, node=node)
        return messages

    def disown(self, node: str, deployment: str, epoch: int) -> list[Publish]:
        """End on a fog node what we never assigned it, and tell it again what we did."""
        retire = Assignment(deployment=deployment, epoch=epoch, phase="retire")
        return self.retained.interject(NODE_ASSIGNMENT, retire, node=node)

    def assign_again(self, alive: Mapping[str, NodeInfo]) -> list[Publish]:
        """Tell nodes that came (back) what their topic does not retain."""
        return [
            message
            for node, assignment in self._assignments.again(alive)
            for message in self.assign({node: assignment})
        ]

    def forget(self, node: str) -> list[Publish]:
        """Clear what a node was told that is gone for good; else it would be published again."""
        self._assignments.forget(node)
        return self.retained.clear(NODE_ASSIGNMENT, node=node)

    def activate(self, active: Active) -> list[Publish]:
        """Tell the cameras which epoch serves."""
        return self.retained.publish(ACTIVE, active, deployment=active.deployment)

    def want(self, spec: Spec) -> list[Publish]:
        """Let the spec stand that is taken up."""
        return self.retained.publish(SPEC, spec, deployment=spec.deployment)

    def phase(self, spec: Spec, phase: StatusPhase, reason: str = "") -> list[Publish]:
        """Tell people of a spec that is not placed yet."""
        status = Status(
            deployment=spec.deployment, revision=spec.revision, phase=phase, reason=reason
        )
        return self.retained.publish(STATUS, status, deployment=spec.deployment)

    def changed(self, deployment: Deployment) -> list[Publish]:
        """Tell people at once of a deployment that goes on to another phase."""
        status = self._reporting.changed(deployment)
        return self.retained.publish(STATUS, status, deployment=deployment.name)

    def figures(
        self, deployment: Deployment, watch: Watch, alive: Mapping[str, NodeInfo], now: float
    ) -> list[Publish]:
        """Tell people how what serves fares, when that changed noticeably."""
        status = self._reporting.due(deployment, watch, alive, now)
        if status is None:
            return []
        return self.retained.publish(STATUS, status, deployment=deployment.name)

    def end(self, deployment: str) -> list[Publish]:
        """Clear what is retained of a deployment."""
        self._reporting.forget(deployment)
        return [
            message
            for topic in (SPEC, ACTIVE, STATUS)
            for message in self.retained.clear(topic, deployment=deployment)
        ]
