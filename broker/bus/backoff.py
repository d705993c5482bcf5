"""How long to wait before trying again."""

import random


class Backoff:
    """Delays that double from ``first`` to ``longest``, jittered so that a fleet does not come at once."""

    def __init__(self, first: float = 0.25, longest: float = 5.0) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def delay(self) -> float:
        """Return the seconds to wait now, between half and all of the current step."""
        step, self._next = self._next, min(2 * self._next, self._longest)
        return random.uniform(step / 2, step)

    def reset(self) -> None:
        """Begin again with the shortest delay."""
        self._next = self._first
