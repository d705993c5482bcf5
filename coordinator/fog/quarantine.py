"""What led to a mistake of ours is left alone: a message until it changes, a deployment for a while; pure."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from coordinator.fog.failures import Failures

_REMEMBERED: Final = 256


class Quarantine:
    """The messages and deployments that raised, by name; what they were then, and since when."""

    def __init__(self, rest_s: float, failures: Failures) -> None:
        self._rest_s, self._failures = rest_s, failures
        self._held: OrderedDict[str, tuple[Hashable, float]] = OrderedDict()

    def hold(self, name: str, state: Hashable, now: float) -> None:
        """Leave this alone as long as it is as it was when it raised."""
        self._held.pop(name, None)
        self._held[name] = state, now
        if len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)

    def holds(self, name: str, state: Hashable, now: float) -> bool:
        """Return whether this is to be left alone: it is the same, and did not rest for long enough."""
        held = self._held.get(name)
        if held is None:
            return False
        if held[0] == state and now - held[1] < self._rest_s:
            return True
        del self._held[name]
        return False

    @contextmanager
    def guard(self, name: str, state: Hashable, now: float) -> Iterator[None]:
        """Count what raises in the context, say so, and hold it; whatever else there is goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  a mistake of ours is to end no site
            self.raised(name, state, error, now)

    def raised(self, name: str, state: Hashable, error: Exception, now: float) -> None:
        """Count what raised, say so, and hold what led to it."""
        self._failures.raised(name, error, now)
        self.hold(name, state, now)
