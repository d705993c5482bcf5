"""What a share of right answers on so many pictures says about all pictures to come."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

Z_95: Final = 1.959963984540054
"""The standard normal distribution has 95 % of its mass within so many standard deviations."""

TELLING_WIDTH: Final = 0.2
"""An interval wider than this says too little: 16 right of 16 still tell something, 15 of 16 do not."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of a count, with the interval that holds the true share in 95 of 100 cases."""

    part: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.count or self.count < 1:
            raise ValueError(f"{self.part} of {self.count} is no share")

    @property
    def value(self) -> float:
        """The share itself, 0 to 1."""
        return self.part / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (1927, doi 10.1080/01621459.1927.10502953), low and high.

        Unlike the textbook's interval it is right for few pictures and for shares near 1.
        """
        n, squared = self.count, Z_95**2
        centre = (self.value + squared / (2 * n)) / (1 + squared / n)
        spread = Z_95 * sqrt(self.value * (1 - self.value) / n + squared / (4 * n * n))
        spread /= 1 + squared / n
        low = 0.0 if self.part == 0 else max(0.0, centre - spread)
        high = 1.0 if self.part == self.count else min(1.0, centre + spread)
        return low, high

    @property
    def tells(self) -> bool:
        """Whether the interval is narrow enough to trust the share."""
        low, high = self.interval
        return high - low <= TELLING_WIDTH
