"""When the answers of a deployment are listened to: not all the time where they are many; pure.

Hearing an answer costs more than all that is made of it. Where every camera of a deployment answers often,
a look of a moment sees as many answers in a row as make a state: then nothing is heard for a second,
unless a row of another label has begun.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

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

    def hears(self, deployment: str, camera: str, now: float) -> None:
        """Take note of an answer."""
        look = self._looks.setdefault(deployment, _Look(now))
        look.counts[camera] = look.counts.get(camera, 0) + 1

    def listens(
        self, deployment: str, cameras: Collection[str], now: float, *, stirs: bool
    ) -> bool:
        """Return whether to listen to a deployment.

        ``cameras`` are all that are known of it: one that is silent may answer any moment. ``stirs``: one of
        them may come to another state.
        """
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
