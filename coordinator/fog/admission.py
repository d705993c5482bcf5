"""Who of all that speak on a site is listened to: so many nodes and deployments, the proven ones first; pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from broker.ranges import MOST_DEPLOYMENTS
from coordinator.fog.failures import Failures
from coordinator.fog.quota import Quota

MOST_NODES: Final = 2000


class Admission:
    """The quotas of a site; ``drop(kind, name)`` is called with who is forgotten to make room."""

    def __init__(self, drop: Callable[[str, str], None], failures: Failures) -> None:
        self._drop, self._failures = drop, failures
        self._quotas = {"node": Quota(MOST_NODES), "deployment": Quota(MOST_DEPLOYMENTS)}

    def knows(self, kind: str, name: str) -> bool:
        """Return whether a node, a deployment or a coordinator is no stranger; safe from any thread."""
        quota = self._quotas.get(kind)
        return kind == "coordinator" if quota is None else quota.proven(name)

    def admits(self, names: Mapping[str, str], now: float) -> bool:
        """Return whether there is room for who speaks, or is spoken of: names by kind."""
        for kind, name in names.items():
            quota = self._quotas.get(kind)
            if quota is None:
                continue
            admitted, gone = quota.admit(name, now)
            if gone:
                self._drop(kind, gone)
            if not admitted:
                self._failures.note("too_many", f"there is no room for {kind} {name}")
                return False
        return True

    def prove(self, kind: str, names: Iterable[str], now: float) -> None:
        """Take note that these are what they say."""
        for name in names:
            self._quotas[kind].prove(name, now)

    def forget(self, kind: str, name: str) -> None:
        """Take note that somebody is gone for good."""
        self._quotas[kind].forget(name)

    def prune(self, now: float) -> None:
        """Forget whom nobody heard for an hour."""
        for kind, quota in self._quotas.items():
            for name in quota.forgotten(now):
                self._drop(kind, name)
