"""Which pictures are worth sending: those that changed since the last one that was sent; pure."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fog_node.sources.source import Pixels

LEVEL: Final = 0.01
KEEP_ALIVE_S: Final = 60.0
_CELLS: Final = 48
"""Along each side: what changes is averaged over cells, and so is the noise of the sensor."""
_NOISE: Final = 10.0
"""Of 255: a cell that changed less did not."""


@dataclass(frozen=True, slots=True)
class Motion:
    """``level`` is the share of the picture that has to change, 0 to 1; one is sent every ``keep_alive_s`` anyway."""

    level: float = LEVEL
    keep_alive_s: float = KEEP_ALIVE_S


class MotionGate:
    """Compares each picture with the last one that passed, so that a slow change passes too."""

    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        self._passed: NDArray[np.float32] | None = None
        self._passed_at = 0.0

    def passes(self, pixels: Pixels, now: float) -> bool:
        """Return whether a picture, uint8 (C, H, W), is to be sent; ``now`` is monotonic seconds."""
        small, before = small_grey(pixels), self._passed
        if before is not None and before.shape == small.shape:
            changed = float(np.mean(np.abs(small - before) > _NOISE))
            if changed < self._motion.level and now - self._passed_at < self._motion.keep_alive_s:
                return False
        self._passed, self._passed_at = small, now
        return True


def small_grey(pixels: Pixels) -> NDArray[np.float32]:
    """Return a picture (C, H, W) as the mean brightness of at most 48 x 48 cells, float32 (h, w)."""
    grey: NDArray[Any] = pixels.mean(axis=0, dtype=np.float32)  # (H, W)
    for axis in (0, 1):
        size = grey.shape[axis]
        cells = min(_CELLS, size)
        starts = np.arange(cells) * size // cells
        sums = np.add.reduceat(grey, starts, axis=axis)
        widths = np.diff(np.append(starts, size)).astype(np.float32)
        grey = sums / (widths[:, np.newaxis] if axis == 0 else widths)
    return grey
