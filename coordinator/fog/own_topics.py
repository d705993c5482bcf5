"""What is heard on the topics that the coordinator writes: its echo, another one's word, or a forgery; pure.

Whatever it is, what we said last is defended (`broker.retained`); what another coordinator said counts
where it can be read.
"""

from broker.actions import Publish
from broker.messages import Active, Assignment, Status
from broker.topics import ACTIVE, NODE_ASSIGNMENT, STATUS
from coordinator.fog.deployments import Deployments


class OwnTopics:
    """Assignments, `active` and status, whoever wrote them.

    Every method raises MessageError where the message is none, or speaks of another deployment.
    """

    def __init__(self, deployments: Deployments) -> None:
        self._deployments = deployments
        self._heard, self._retained = deployments.heard, deployments.publishing.retained

    def assignment(self, node: str, payload: bytes, _now: float) -> list[Publish]:
        """Take what a fog node is told."""
        foreign = self._retained.heard(NODE_ASSIGNMENT, payload, node=node)
        if not payload:
            return []
        assignment = Assignment.decode(payload)
        if foreign:
            return self._deployments.assigned(node, assignment)
        self._heard.assigned(node, assignment)
        return []

    def active(self, name: str, payload: bytes, _now: float) -> list[Publish]:
        """Take what the cameras are told."""
        self._retained.heard(ACTIVE, payload, deployment=name)
        active = Active.decode(payload, deployment=name) if payload else None
        self._heard.activated(name, active)
        return []

    def status(self, name: str, payload: bytes, _now: float) -> list[Publish]:
        """Take what people are told."""
        self._retained.heard(STATUS, payload, deployment=name)
        self._heard.statuses.pop(name, None)
        if payload:
            self._heard.statuses[name] = Status.decode(payload, deployment=name)
        return []
