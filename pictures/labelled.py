"""Pictures with their labels: one value, which knows how to divide itself fairly."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from pictures.grouping.holding_out import hold_out


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """N labelled pictures.

    pixels: uint8 (N, C, H, W). labels: int64 (N,), indices into the data set's classes.
    files: their names within the data set's folder, none where they come from no files.
    groups: int64 (N,), equal for pictures that belong together, as those of a burst; None where
    each stands for itself.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    files: tuple[str, ...] = ()
    groups: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 4:
            raise ValueError(
                f"pixels are bytes (N, C, H, W), not {self.pixels.dtype} {self.pixels.shape}"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.pixels.shape[:1]:
            raise ValueError(
                f"labels are int64 ({len(self)},), not {self.labels.dtype} {self.labels.shape}"
            )
        if len(self) and self.labels.min() < 0:
            raise ValueError("labels are indices: none is below zero")
        if self.files and len(self.files) != len(self):
            raise ValueError(f"{len(self.files)} files of {len(self)} pictures")
        groups = self.groups
        if groups is not None and (groups.dtype != np.int64 or groups.shape != self.labels.shape):
            raise ValueError(f"groups are int64 ({len(self)},), not {groups.dtype} {groups.shape}")

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every picture."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    def take(self, indices: npt.NDArray[np.int64]) -> Self:
        """Return the pictures at these indices, in this order."""
        return replace(
            self,
            pixels=self.pixels[indices],
            labels=self.labels[indices],
            files=tuple(self.files[index] for index in indices) if self.files else (),
            groups=None if self.groups is None else self.groups[indices],
        )

    def split(self, count: int, seed: int = 0) -> tuple[Self, Self]:
        """Divide into (rest, part), `count` pictures in the part, every class in its proportion.

        Both keep their order. Where pictures belong together, whole groups are chosen by the seed,
        and the part has about `count` pictures; elsewhere it takes the last ones of each class.
        No class loses its last picture to the part while others have two. Made for validation during
        search, which never sees the test set. Raises ValueError when either side would be empty.
        """
        if not 0 < count < len(self):
            raise ValueError(f"cannot set {count} of {len(self)} pictures apart")
        quotas = np.array(_quotas(np.bincount(self.labels), count), np.int64)
        if self.groups is None:
            chosen = self._last(quotas)
        else:
            chosen = hold_out(self.labels, self.groups, quotas, seed)
            if not 0 < np.count_nonzero(chosen) < len(self):
                raise ValueError(
                    f"cannot set {count} of {len(self)} pictures apart: all are one group"
                )
        return self.take(np.flatnonzero(~chosen)), self.take(np.flatnonzero(chosen))

    def _last(self, quotas: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        chosen = np.zeros(len(self), np.bool_)
        for label, quota in enumerate(quotas):
            of_class = np.flatnonzero(self.labels == label)
            chosen[of_class[len(of_class) - quota :]] = True
        return chosen


def interleave(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Order sorted pictures so that the classes take turns: the first of each, the second of each.

    labels: (N,). Returns the indices (N,) in the new order.
    """
    turn = np.zeros(len(labels), np.int64)  # how many of its class stand before each picture
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        turn[of_class] = np.arange(len(of_class))
    return np.lexsort((labels, turn)).astype(np.int64)


def _quotas(sizes: npt.NDArray[np.int64], count: int) -> list[int]:
    """Share `count` out in proportion to `sizes`, whole numbers by largest remainder.

    One of each class stays, as long as there are others.
    """
    shares = [divmod(int(size) * count, int(sizes.sum())) for size in sizes]
    quotas = [whole for whole, _ in shares]
    by_remainder = sorted(range(len(shares)), key=lambda label: (-shares[label][1], label))
    while left := count - sum(quotas):
        roomy = [label for label in by_remainder if quotas[label] < sizes[label] - 1]
        roomy = roomy or [label for label in by_remainder if quotas[label] < sizes[label]]
        for label in roomy[:left]:
            quotas[label] += 1
    return quotas
