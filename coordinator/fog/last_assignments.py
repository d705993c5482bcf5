"""What each fog node was assigned last in each deployment; pure.

A node's assignment topic retains one message, and a node may be in several deployments: who comes
(back) gets the others again.
"""

from collections.abc import Mapping

from broker.messages import Assignment, NodeInfo


class LastAssignments:
    """What each fog node was assigned last, by deployment."""

    def __init__(self) -> None:
        self._assigned: dict[str, dict[str, Assignment]] = {}
        self._sessions: dict[str, int] = {}
        self._there: set[str] = set()

    def note(self, node: str, assignment: Assignment) -> None:
        """Take note of what a node is assigned now."""
        assigned = self._assigned.setdefault(node, {})
        assigned.pop(assignment.deployment, None)  # to the end: the order of sending
        assigned[assignment.deployment] = assignment

    def forget(self, node: str) -> None:
        """Forget a node, and what it was assigned."""
        self._assigned.pop(node, None)
        self._sessions.pop(node, None)
        self._there.discard(node)

    def again(self, alive: Mapping[str, NodeInfo]) -> list[tuple[str, Assignment]]:
        """Return what the nodes that came since the last call are to be sent again.

        What gives a node nothing to do comes first, so that the last one, which is retained, is of
        use. A new session had nothing to be relieved of: those are forgotten then.
        """
        repeated = []
        for node, info in alive.items():
            assigned = self._assigned.get(node, {})
            new_session = self._sessions.get(node) != info.session
            if (new_session or node not in self._there) and len(assigned) > 1:
                repeated += [
                    (node, assignment) for assignment in sorted(assigned.values(), key=_has_work)
                ]
            if new_session:
                self._assigned[node] = {
                    name: assignment
                    for name, assignment in assigned.items()
                    if _has_work(assignment)
                }
            self._sessions[node] = info.session
        self._there = set(alive)
        return repeated


def _has_work(assignment: Assignment) -> bool:
    return bool(assignment.partitions)
