"""How long to wait for an answer before trying again: RFC 6298, from the times that answers took."""


class RetryTimeout:
    """Seconds between ``least_s`` and ``most_s``; ``first_s`` as long as nothing was answered.

    The caller measures only what was asked for once, for else nobody knows what was answered.
    """

    def __init__(self, first_s: float, least_s: float, most_s: float) -> None:
        self._first_s, self._least_s, self._most_s = first_s, least_s, most_s
        self._mean: float | None = None
        self._deviation = 0.0
        self._backoff = 1.0

    @property
    def seconds(self) -> float:
        """How long an answer may take now."""
        return self.after(self._backoff)

    def after(self, backoff: float) -> float:
        """Return how long an answer may take that is ``backoff`` times as hard to get as usual."""
        return min(self._most_s, self._usual_s * backoff)

    @property
    def _usual_s(self) -> float:
        if self._mean is None:
            return self._first_s
        return min(self._most_s, max(self._least_s, self._mean + 4.0 * self._deviation))

    def answered(self, seconds: float) -> None:
        """Take how long an answer took."""
        if self._mean is None:
            self._mean, self._deviation = seconds, seconds / 2
        else:
            self._deviation += (abs(self._mean - seconds) - self._deviation) / 4
            self._mean += (seconds - self._mean) / 8
        self._backoff = 1.0

    def expired(self) -> None:
        """Be more patient from now on: twice as long with each timeout, until an answer comes."""
        if self.seconds < self._most_s:
            self._backoff *= 2.0

    def forgive(self) -> None:
        """Be as patient as usual again: what kept the answers away is over."""
        self._backoff = 1.0
