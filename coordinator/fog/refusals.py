"""Fog nodes that failed to prepare a deployment, and when they may be tried again; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from broker.messages import NodeInfo
from coordinator.fog.penalty import penalty_s


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a session of a fog node is not used, until when, and which time in a row this is."""

    session: int
    reason: str
    until: float
    times: int


class Refusals:
    """A node is left out for longer with every time more (`coordinator.fog.penalty`)."""

    def __init__(self) -> None:
        self._refused: dict[str, Refusal] = {}

    def add(self, node: str, session: int, reason: str, now: float) -> None:
        """Leave a node out for a while."""
        before = self._refused.get(node)
        times = before.times + 1 if before is not None and before.session == session else 1
        self._refused[node] = Refusal(session, reason, now + penalty_s(times), times)

    def standing(self, alive: Mapping[str, NodeInfo], now: float) -> dict[str, str]:
        """Return the nodes at hand that are not to be used yet, and why."""
        return {
            node: refusal.reason
            for node, refusal in sorted(self._refused.items())
            if node in alive and alive[node].session == refusal.session and now < refusal.until
        }

    def forgive(self, nodes: Iterable[str]) -> None:
        """Let these begin with a clean slate."""
        for node in nodes:
            self._refused.pop(node, None)

    def clear(self) -> None:
        """Forget all: something else is wanted now."""
        self._refused.clear()


def why_none(reason: str, refused: Mapping[str, str], *, nobody: bool) -> str:
    """Return why there is no layout, with why some nodes are not used; ``nobody``: none is left."""
    if not refused:
        return reason
    why = "; ".join(f"{node}: {each}" for node, each in sorted(refused.items()))
    if nobody:
        return f"every fog node online was refused, to be tried again later ({why})"
    return f"{reason} (refused: {why})"
