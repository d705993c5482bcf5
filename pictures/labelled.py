"""Pictures with their labels: one value, which knows how to divide itself fairly."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """N labelled pictures.

    pixels: uint8 (N, C, H, W). labels: int64 (N,), indices into the data set's classes.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

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

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every picture."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    def take(self, indices: npt.NDArray[np.int64]) -> Self:
        """Return the pictures at these indices, in this order."""
        return type(self)(self.pixels[indices], self.labels[indices])

    def split(self, count: int) -> tuple[Self, Self]:
        """Divide into (rest, part), `count` pictures in the part, every class in its proportion.

        Deterministic: the part takes the last pictures of each class, and both keep their order.
        Made for validation during search, which never sees the test set. Raises ValueError when
        either side would be empty.
        """
        if not 0 < count < len(self):
            raise ValueError(f"cannot set {count} of {len(self)} pictures apart")
        chosen = np.zeros(len(self), np.bool_)
        for label, quota in enumerate(_quotas(np.bincount(self.labels), count)):
            of_class = np.flatnonzero(self.labels == label)
            chosen[of_class[len(of_class) - quota :]] = True
        return self.take(np.flatnonzero(~chosen)), self.take(np.flatnonzero(chosen))


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
    """Share `count` out in proportion to `sizes`, whole numbers by largest remainder."""
    shares = [divmod(int(size) * count, int(sizes.sum())) for size in sizes]
    quotas = [whole for whole, _ in shares]
    by_remainder = sorted(range(len(shares)), key=lambda label: (-shares[label][1], label))
    for label in by_remainder[: count - sum(quotas)]:
        quotas[label] += 1
    return quotas
