"""Groups of pictures that stand on one side of a split together."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from pictures.grouping.likeness import join, root

Labels = npt.NDArray[np.int64]
Groups = npt.NDArray[np.int64]

MOST: Final = 0.2
"""Share of a class that a group may hold; a larger one is a chain, and divided."""

PIECE: Final = 0.1
"""Share of a class that a piece of a chain holds at most."""


def connected(count: int, pairs: Iterable[tuple[int, int]]) -> Groups:
    """Return the group of each picture, called by the place of its first picture."""
    roots = list(range(count))
    for one, other in pairs:
        join(roots, one, other)
    return np.array([root(roots, index) for index in range(count)], np.int64)


def bounded(groups: Groups, labels: Labels, order: Sequence[int]) -> Groups:
    """Divide groups that hold too much of a class into pieces that follow each other in `order`.

    So a chain of neighbours, each like the next, never takes a whole class to one side.
    """
    sizes = np.bincount(labels)
    most = np.maximum(1, np.floor(MOST * sizes)).astype(int)
    piece = np.maximum(1, np.ceil(PIECE * sizes)).astype(int)
    held: dict[int, npt.NDArray[np.int64]] = {}
    for group, label in zip(groups.tolist(), labels.tolist(), strict=True):
        held.setdefault(group, np.zeros(len(sizes), np.int64))[label] += 1
    chains = {group for group, counts in held.items() if (counts > most).any()}
    divided = groups.copy()
    current: dict[int, int] = {}  # by chain: the piece that is being filled
    filled: dict[int, npt.NDArray[np.int64]] = {}
    for index in order:
        chain, label = int(groups[index]), int(labels[index])
        if chain not in chains:
            continue
        counts = filled.get(chain)
        if counts is None or counts[label] >= piece[label]:
            current[chain] = index
            counts = filled[chain] = np.zeros(len(sizes), np.int64)
        counts[label] += 1
        divided[index] = current[chain]
    return _by_first(divided)


def by_class(groups: Groups, labels: Labels) -> Groups:
    """Divide groups that hold pictures of several classes."""
    return _by_first(groups * (int(labels.max(initial=0)) + 1) + labels)


def _by_first(groups: Groups) -> Groups:
    """Call each group by the place of its first picture."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def least(size: int) -> int:
    """Return how many groups a class of so many pictures has at least, once bounded."""
    return math.ceil(size / max(1, math.floor(MOST * size)))
