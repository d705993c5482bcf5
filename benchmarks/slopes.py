"""Does something grow? The slope of a series of samples, with the interval that noise leaves; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCKS: Final = 10
Samples = Sequence[float] | NDArray[np.float64]
_T_8: Final = 2.306
"""Student's t at 97.5 % with ten blocks less two."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth per hour with its 95 % interval, and the mean, in the unit of the samples.

    Samples that follow each other are alike, so the line is fitted to the means of ten blocks: their
    scatter around it is what noise does.
    """

    per_hour: float
    low: float
    high: float
    mean: float
    hours: float

    def grows(self, least: float) -> bool:
        """Return whether growth is beyond noise, and at least ``least`` over the time observed."""
        return self.low > 0.0 and self.per_hour * self.hours >= least


def slope_of(seconds: Samples, values: Samples) -> Slope:
    """Return the slope of samples taken at ``seconds``.

    Raises:
        ValueError: there are fewer than two samples a block.
    """
    if len(values) < 2 * _BLOCKS:
        raise ValueError(f"{len(values)} samples are too few for a slope")
    hours = np.asarray(seconds) / 3600.0
    x = np.array([part.mean() for part in np.array_split(hours, _BLOCKS)])
    y = np.array([part.mean() for part in np.array_split(np.asarray(values, float), _BLOCKS)])
    centred = x - x.mean()
    spread = float(centred @ centred)
    per_hour = float(centred @ y) / spread
    left = y - y.mean() - per_hour * centred
    error = float(np.sqrt(left @ left / (_BLOCKS - 2) / spread))
    reach = _T_8 * error
    return Slope(
        per_hour, per_hour - reach, per_hour + reach, float(y.mean()), float(hours[-1] - hours[0])
    )
