"""An epoch on its way to serving: who is told when, who is ready, and who gets no further; pure.

Where two epochs do not fit into a node's memory, the one that serves ends there when the new one is
prepared. So those nodes are told last, when all others are ready.
"""

from collections.abc import Collection
from typing import Final

from broker.messages import Assignment
from coordinator.fog.epoch import Epoch

PREPARE_PATIENCE_S: Final = 15.0
"""So long may a node that prepares get no further; one that fetches over a slow link does."""


class Preparation:
    """An epoch in preparation; its nodes that ``evict`` the one that serves are told last."""

    def __init__(self, epoch: Epoch, now: float) -> None:
        self.epoch = epoch
        self._last = epoch.evicts if epoch.evicts < epoch.nodes else frozenset[str]()
        self._waiting_since = dict.fromkeys(epoch.nodes - self._last, now)

    def first(self) -> dict[str, Assignment]:
        """Return what the nodes are told first."""
        return self._assignments(self._waiting_since)

    def next(self, now: float) -> dict[str, Assignment]:
        """Return what the others are told, once, when the first are all ready."""
        if self._waiting_since or not self._last:
            return {}
        self._waiting_since, self._last = dict.fromkeys(self._last, now), frozenset()
        return self._assignments(self._waiting_since)

    def ready(self, node: str) -> None:
        """Take note that a node is ready."""
        self._waiting_since.pop(node, None)

    def progressed(self, node: str, now: float) -> None:
        """Take note that a node got further with what it fetches and loads."""
        if node in self._waiting_since:
            self._waiting_since[node] = now

    def wait_longer(self, now: float) -> None:
        """Give every node all of its time again."""
        self._waiting_since = dict.fromkeys(self._waiting_since, now)

    @property
    def complete(self) -> bool:
        """Whether every node is ready."""
        return not self._waiting_since and not self._last

    def late(self, now: float) -> list[str]:
        """Return the nodes that got no further for too long."""
        return sorted(
            node for node, since in self._waiting_since.items() if now - since >= PREPARE_PATIENCE_S
        )

    def _assignments(self, nodes: Collection[str]) -> dict[str, Assignment]:
        assigned = self.epoch.assignments("prepare")
        return {node: assigned[node] for node in assigned if node in nodes}
