"""What a deployment concedes where there is no layout otherwise; pure.

First that there be room for it beside the epoch that serves, then that nodes which are not to be used
(they hear the broker late, or are late) be left out. What is conceded holds for the nodes it was conceded on.
"""

from collections.abc import Mapping

from coordinator.fog.knowledge import Knowledge, NodeSessions, sessions


class Concessions:
    """What one deployment has conceded."""

    def __init__(self) -> None:
        self.makes_room = False
        """Whether a new epoch may take the place of the one that serves."""
        self._on: NodeSessions | None = None

    def withdraw(self) -> None:
        """Ask for room beside what serves again: something is different now."""
        self.makes_room = False

    def make_room(self) -> bool:
        """Concede the room; return False if that was conceded before."""
        before, self.makes_room = self.makes_room, True
        return not before

    def use_all(self, known: Knowledge, refused: Mapping[str, str]) -> bool:
        """Concede the nodes that are not to be used; return False if there are none."""
        if not known.unused:
            return False
        self._on, self.makes_room = sessions(known.without(refused)), False
        return True

    def applied(self, known: Knowledge, refused: Mapping[str, str]) -> Knowledge:
        """Return what is known, without what speaks against nodes that were conceded."""
        if not known.unused or self._on != sessions(known.without(refused)):
            return known
        return known.with_unused()
