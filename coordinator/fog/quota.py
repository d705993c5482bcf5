"""How many of a kind are known at a time: who proved to be there stays, strangers come and go; pure."""

from collections import OrderedDict
from typing import Final

PROVE_S: Final = 10.0
"""So long a stranger has to prove itself before another one may take its place."""
SILENT_S: Final = 60.0
"""Who is proven and silent for so long gives way where there is no room."""
FORGOTTEN_S: Final = 3600.0
"""Who was not heard for so long is forgotten."""


class Quota:
    """The names of one kind, ``most`` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._strangers: OrderedDict[str, float] = OrderedDict()  # since when
        self._proven: OrderedDict[str, float] = OrderedDict()  # last heard when
        self.refused = 0

    def __len__(self) -> int:
        return len(self._strangers) + len(self._proven)

    def __contains__(self, name: object) -> bool:
        return name in self._proven or name in self._strangers

    def proven(self, name: str) -> bool:
        """Return whether a name has proved itself."""
        return name in self._proven

    def admit(self, name: str, now: float) -> tuple[bool, str]:
        """Return whether a name that is heard is to be listened to, and which other one is forgotten for it."""
        if name in self._proven:
            self._proven[name] = now
            self._proven.move_to_end(name)
            return True, ""
        if name in self._strangers:
            return True, ""
        gone = ""
        if len(self) >= self._most:
            gone = self._gives_way(now)
            if not gone:
                self.refused += 1
                return False, ""
            self.forget(gone)
        self._strangers[name] = now
        return True, gone

    def prove(self, name: str, now: float) -> None:
        """Take note that a name is what it says."""
        self._strangers.pop(name, None)
        self._proven[name] = now
        self._proven.move_to_end(name)

    def forget(self, name: str) -> None:
        """Make room."""
        self._strangers.pop(name, None)
        self._proven.pop(name, None)

    def forgotten(self, now: float) -> list[str]:
        """Return and forget the names that were not heard for long."""
        gone = [
            name
            for names in (self._strangers, self._proven)
            for name, at in names.items()
            if now - at >= FORGOTTEN_S
        ]
        for name in gone:
            self.forget(name)
        return gone

    def _gives_way(self, now: float) -> str:
        for names, after_s in ((self._strangers, PROVE_S), (self._proven, SILENT_S)):
            name, at = next(iter(names.items()), ("", now))
            if name and now - at >= after_s:
                return name
        return ""
