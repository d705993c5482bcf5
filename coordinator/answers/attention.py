"""When the answers of a deployment are listened to: always, unless a site has very many; pure.

Hearing an answer costs more than all that is made of it. On a busy site a look of a moment at a deployment
whose cameras all answer often sees as many answers in a row as make a state: then nothing of it is heard
for a second, unless a row of another label has begun.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

BUSY: Final = 100
"""Answers a second, of all deployments together; up to so many, every one is heard."""
BUSY_S: Final = 10.0
"""A site that was busy stays so for as long: while it rests it hears few."""
REST_S: Final = 1.0
QUICK_S: Final = 1.0
"""A look that takes longer is of cameras that answer seldom: all that they say is heard."""


@dataclass(slots=True)
class _Look:
    since: float
    rests_until: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)


class Attention:
    """What is listened to; ``equal`` answers in a row make a state."""

    def __init__(self, equal: int) -> None:
        self._enough = equal + 1
        self._looks: dict[str, _Look] = {}
        self._second = 0.0
        self._heard = 0
        self._busy_until = 0.0

    def hears(self, deployment: str, camera: str, now: float) -> None:
        """Take note of an answer."""
        if now - self._second >= 1.0:
            self._second, self._heard = now, 0
        self._heard += 1
        if self._heard > BUSY:
            self._busy_until = now + BUSY_S
        look = self._looks.setdefault(deployment, _Look(now))
        look.counts[camera] = look.counts.get(camera, 0) + 1

    def listens(
        self, deployment: str, cameras: Collection[str], now: float, *, stirs: bool
    ) -> bool:
        """Return whether to listen to a deployment.

        ``cameras`` are all that are known of it: one that is silent may answer any moment. ``stirs``: one of
        them may come to another state.
        """
        if now >= self._busy_until:
            self._looks.pop(deployment, None)
            return True
        look = self._looks.setdefault(deployment, _Look(now))
        if now < look.rests_until:
            return False
        if look.rests_until or now - look.since > QUICK_S:
            look = self._looks[deployment] = _Look(now)
        if not cameras or stirs or any(look.counts.get(each, 0) < self._enough for each in cameras):
            return True
        look.rests_until = now + REST_S
        return False

    def forget(self, deployment: str) -> None:
        """Forget a deployment."""
        self._looks.pop(deployment, None)
