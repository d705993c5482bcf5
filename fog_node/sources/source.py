"""What a source of pictures is to a camera."""

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pictures.errors import DatasetError
from pictures.fit import fit

Shape = tuple[int, int, int]
Pixels = NDArray[np.uint8]


class SourceError(Exception):
    """A source without pictures, in one sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, uint8 (C, H, W), and what the source calls it: the true class where there is such a class."""

    pixels: Pixels
    label: str | None = None


class Source:
    """Pictures fitted to a shape; ``length`` is how many there are, None for a camera that never ends.

    ``damaged`` are files among them that could not be read; they are skipped.
    """

    def __init__(
        self, pictures: Iterator[Picture], length: int | None, damaged: Collection[Path] = ()
    ) -> None:
        self._pictures, self.length, self._damaged = pictures, length, damaged

    @property
    def skipped(self) -> int:
        """How many files could not be read so far."""
        return len(self._damaged)

    def skip(self, count: int) -> None:
        """Pass over pictures that newer ones took the place of."""
        for _ in itertools.islice(self._pictures, count):
            pass

    def next(self, shape: Shape) -> Picture:
        """Return the next picture as uint8 of ``shape`` (C, H, W).

        Raises:
            SourceError: there is none any more.
        """
        try:
            return fitted(next(self._pictures), shape)
        except StopIteration:
            raise SourceError("the source has no more pictures") from None
        except (DatasetError, ValueError) as error:
            raise SourceError(str(error)) from None


def fitted(picture: Picture, shape: Shape) -> Picture:
    """Return the picture as uint8 of ``shape`` (C, H, W)."""
    return Picture(fit(picture.pixels, shape), picture.label)
