"""Which pictures are nearly the same, by small grey versions of them.

Cameras are fixed: all pictures of all classes show the same scene, what tells them apart is a
hundredth of the picture and the light. So a perceptual hash, made to overlook such things, would
call everything the same. Here the light counts, and so does each of a thousand cells: two
pictures are nearly the same when no cell differs by more than a few grey levels.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

Thumbs = npt.NDArray[np.uint8]  # (N, SIDE, SIDE)

SIDE: Final = 32

NEAR_MEAN: Final = 0.6
NEAR_MOST: Final = 3
"""Grey levels of 255. A JPEG saved again at quality 20 differs by 0.41 and 2 (the mean, the most of
all cells), one of another size by 0.27 and 1; an object of 0.4 % of the picture by 24 and more."""

_SAMPLE: Final = 2_000
_POOL: Final = 4  # cells are pooled 4 x 4 for a first look
_MOST_COMPARED: Final = 2_000_000
"""Then it ends without the rest: 10,000 pictures of one still scene, each with another dot, would take minutes."""

_ROWS: Final = 256
_CHUNK: Final = (
    4_096  # pairs compared cell by cell at a time: 8 MB, and fewer that are connected meanwhile
)


def differences(
    thumbs: Thumbs, first: npt.ArrayLike, second: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the mean difference in grey levels of each pair of pictures, (N,)."""
    means: npt.NDArray[np.float64] = _gaps(thumbs, np.asarray(first), np.asarray(second)).mean(
        (1, 2)
    )
    return means


def usual_difference(thumbs: Thumbs) -> float:
    """Return how much two of these pictures usually differ in the mean, in grey levels."""
    count = len(thumbs)
    if count < 2:
        return 0.0
    first = np.arange(min(count, _SAMPLE)) * max(1, count // _SAMPLE) % count
    second = (first + 1 + first * 7919 % (count - 1)) % count  # any other, the same at each time
    return float(np.median(differences(thumbs, first, second)))


def _gaps(
    thumbs: Thumbs, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> npt.NDArray[np.int16]:
    gaps: npt.NDArray[np.int16] = np.abs(thumbs[first].astype(np.int16) - thumbs[second])
    return gaps


def near_pairs(thumbs: Thumbs) -> list[tuple[int, int]]:
    """Return pairs of pictures that are nearly the same: enough to connect all that are connected.

    So there are fewer pairs than pictures, also where a thousand pictures are all the same. The
    time grows with the square of their number: about 2 s for 10,000 pictures.
    """
    roots = list(range(len(thumbs)))
    pairs, compared = [], 0
    peaks = _pooled(thumbs).max(axis=(2, 4)).reshape(len(thumbs), -1)
    for candidates in _candidates(thumbs):
        left = candidates
        while len(left := _apart(roots, left)):
            chunk, left = left[:_CHUNK], left[_CHUNK:]
            chunk = chunk[_rises(peaks, chunk) <= NEAR_MOST]
            compared += len(chunk)
            for one, other in _near(thumbs, chunk):
                if join(roots, one, other):
                    pairs.append((min(one, other), max(one, other)))
            if compared > _MOST_COMPARED:
                return sorted(pairs)
    return sorted(pairs)


def _near(thumbs: Thumbs, pairs: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    gaps = _gaps(thumbs, pairs[:, 0], pairs[:, 1])
    near = (gaps.mean(axis=(1, 2)) <= NEAR_MEAN) & (gaps.max(axis=(1, 2)) <= NEAR_MOST)
    return [(one, other) for one, other in pairs[near].tolist()]


def _rises(peaks: npt.NDArray[np.uint8], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Return how far the brightest cells of pooled cells differ: a cell differs by that at least."""
    gaps: npt.NDArray[np.int16] = np.abs(peaks[pairs[:, 0]].astype(np.int16) - peaks[pairs[:, 1]])
    most: npt.NDArray[np.int16] = gaps.max(axis=1, initial=0)
    return most


def _pooled(thumbs: Thumbs) -> npt.NDArray[np.uint8]:
    return thumbs.reshape(len(thumbs), SIDE // _POOL, _POOL, SIDE // _POOL, _POOL)


def _apart(roots: list[int], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the pairs that are not connected yet."""
    tops = np.array(roots, np.int64)
    while not np.array_equal(tops, above := tops[tops]):
        tops = above
    apart: npt.NDArray[np.int64] = pairs[tops[pairs[:, 0]] != tops[pairs[:, 1]]]
    return apart


def _candidates(thumbs: Thumbs) -> Iterator[npt.NDArray[np.int64]]:
    """Yield pairs (M, 2) that may be nearly the same, and all of those that are.

    Whatever differs little in each cell differs little in the mean and in pooled cells: the mean
    square of pooled differences is at most that of all, and that at most NEAR_MEAN * NEAR_MOST.
    """
    flat = _pooled(thumbs).mean(axis=(2, 4), dtype=np.float32).reshape(len(thumbs), -1)
    means = flat.mean(axis=1)
    order = np.argsort(means, kind="stable")
    flat, means = flat[order] - flat.mean(), means[order]
    squares = (flat**2).sum(axis=1)
    most = NEAR_MEAN * NEAR_MOST * flat.shape[1] + 1  # and what float32 loses
    for start in range(0, len(thumbs), _ROWS):
        rows = slice(start, start + _ROWS)
        end = int(np.searchsorted(means, means[rows][-1] + NEAR_MEAN + 1e-3, side="right"))
        columns = slice(start, end)
        apart = squares[rows, None] + squares[columns] - 2 * (flat[rows] @ flat[columns].T)
        one, other = np.nonzero(apart <= most)
        near_first = np.argsort(other - one, kind="stable")  # they connect most, and spare the rest
        near_first = near_first[(other > one)[near_first]]
        yield order[start + np.stack([one[near_first], other[near_first]], axis=1)]


def root(roots: list[int], index: int) -> int:
    """Return what all members of a connected set have in common, and make the next way shorter."""
    while roots[index] != index:
        roots[index] = roots[roots[index]]
        index = roots[index]
    return index


def join(roots: list[int], one: int, other: int) -> bool:
    """Connect two sets under the lower root; return whether they were two."""
    low, high = sorted((root(roots, one), root(roots, other)))
    roots[high] = low
    return low != high
