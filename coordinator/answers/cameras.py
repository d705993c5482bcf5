"""The cameras whose answers are followed: so many and no more, those with a state first; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

from broker.camera_state import State
from coordinator.answers.agreement import Agreement
from coordinator.fog.quota import Quota

MOST_OF_A_DEPLOYMENT: Final = 256
MOST: Final = 1000
"""Of all deployments together: each costs a retained message or three, and some kilobytes here."""

Key = tuple[str, str]
"""Deployment and camera."""


@dataclass(slots=True)
class Camera:
    """A camera in one deployment; ``state`` is what is retained of it, or is to be: ``unsaid``.

    ``heard_at`` is when its last answer came, ``said_at`` when its label was said, in monotonic seconds.
    """

    agreement: Agreement
    heard_at: float
    state: State | None = None
    said_at: float = -inf
    unsaid: bool = False


class Cameras:
    """All of them by deployment and id."""

    def __init__(self, equal: int) -> None:
        self._equal = equal
        self._by_key: dict[Key, Camera] = {}
        self._quotas: dict[str, Quota] = {}

    def __iter__(self) -> Iterator[tuple[Key, Camera]]:
        return iter(list(self._by_key.items()))

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def deployments(self) -> frozenset[str]:
        """The deployments of which any is known."""
        return frozenset(self._quotas)

    def get(self, key: Key) -> Camera | None:
        """Return one."""
        return self._by_key.get(key)

    def of(self, deployment: str) -> list[tuple[Key, Camera]]:
        """Return those of a deployment."""
        return [(key, camera) for key, camera in self._by_key.items() if key[0] == deployment]

    def admit(self, key: Key, now: float) -> tuple[Camera | None, Key | None]:
        """Return a camera, new or not, and the one that gave way to it; None where there is no room."""
        deployment, name = key
        known = self._by_key.get(key)
        if known is None and len(self._by_key) >= MOST:
            return None, None
        quota = self._quotas.setdefault(deployment, Quota(MOST_OF_A_DEPLOYMENT))
        admitted, gone = quota.admit(name, now)
        if not admitted:
            return None, None
        if known is None:
            known = self._by_key[key] = Camera(Agreement(self._equal), now)
        return known, (deployment, gone) if gone else None

    def prove(self, key: Key, now: float) -> None:
        """Take note that a camera has a state: it gives way last."""
        self._quotas[key[0]].prove(key[1], now)

    def drop(self, key: Key) -> None:
        """Forget a camera."""
        self._by_key.pop(key, None)
        quota = self._quotas.get(key[0])
        if quota is not None:
            quota.forget(key[1])
            if not len(quota):
                del self._quotas[key[0]]
