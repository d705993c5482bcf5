"""What is held against fog nodes, and for how long; pure.

A node that is found wanting is used less, or not at all, for longer with every time more
(`coordinator.fog.penalty`). What it did is forgotten after ``FORGIVEN_S`` without, and in a new session.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from coordinator.fog.penalty import penalty_s

FORGIVEN_S: Final = 600.0


class Cause(StrEnum):
    """What a fog node can be found to be."""

    DEAF = "deaf"
    """The broker's messages do not reach it, or much too late."""
    LATE = "late"
    """What it makes comes too late."""
    SLOW = "slow"
    """Its processor takes longer than it should."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing held against a session of a fog node, and which time in a row this is.

    ``factor`` is how many times longer than expected its partitions take; 1 where that is not what
    is held against it. Times in monotonic seconds.
    """

    cause: Cause
    session: int
    reason: str
    since: float
    until: float
    times: int = 1
    factor: float = 1.0

    def stands(self, now: float) -> bool:
        """Return whether it still counts."""
        return now < self.until


class Verdicts:
    """All that was held against fog nodes lately."""

    def __init__(self) -> None:
        self._given: dict[str, dict[Cause, Verdict]] = {}

    def give(
        self, node: str, session: int, cause: Cause, reason: str, now: float, *, factor: float = 1.0
    ) -> None:
        """Hold something against a node; while the same stands already, nothing changes."""
        before = self._given.get(node, {}).get(cause)
        times = 1
        if before is not None and before.session == session:
            if before.stands(now):
                return
            if now - before.until < FORGIVEN_S:
                times = before.times + 1
        verdict = Verdict(cause, session, reason, now, now + penalty_s(times), times, factor)
        self._given.setdefault(node, {})[cause] = verdict

    def go_on(self, verdict: Verdict, node: str, until: float, factor: float | None = None) -> None:
        """Let a verdict stand at least so long, for what it was given for has not ended."""
        self._given[node][verdict.cause] = replace(
            verdict,
            until=max(verdict.until, until),
            factor=verdict.factor if factor is None else factor,
        )

    def lift(self, node: str, cause: Cause, now: float) -> None:
        """End what stands: it is over. The next time is one more all the same."""
        verdict = self.standing(node, cause, now)
        if verdict is not None:
            self._given[node][cause] = replace(verdict, until=now)

    def take_back(self, cause: Cause, nodes: Iterable[str], now: float, within_s: float) -> None:
        """Undo what was given within the last seconds: it was not the fault of the nodes."""
        for node in nodes:
            verdict = self.standing(node, cause, now)
            if verdict is not None and now - verdict.since < within_s:
                del self._given[node][cause]

    def forget(self, node: str) -> None:
        """Forget all that was held against a node."""
        self._given.pop(node, None)

    def nodes(self) -> list[str]:
        """Return the nodes against which something was held."""
        return sorted(self._given)

    def standing(self, node: str, cause: Cause, now: float) -> Verdict | None:
        """Return what stands against a node for one cause."""
        verdict = self._given.get(node, {}).get(cause)
        return verdict if verdict is not None and verdict.stands(now) else None

    def against(self, node: str, session: int, now: float) -> list[Verdict]:
        """Return all that stands against a session of a node, in the order in which it was found."""
        given = self._given.get(node, {}).values()
        return sorted(
            (verdict for verdict in given if verdict.session == session and verdict.stands(now)),
            key=lambda verdict: (verdict.since, verdict.cause),
        )
