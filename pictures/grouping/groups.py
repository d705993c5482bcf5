"""Groups of pictures that stand on one side of a split together."""

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


def bounded(
    groups: Groups, labels: Labels, order: Sequence[int], copies: Groups | None = None
) -> Groups:
    """Divide groups that hold too much of a class into pieces that follow each other in `order`.

    So a chain of neighbours, each like the next, never takes a whole class to one side. copies:
    equal for pictures that are copies; those of one picture, unless they are too many, stay in
    the piece of the first of them, wherever the others come in `order`.
    """
    sizes = np.bincount(labels)
    most = np.maximum(1, np.floor(MOST * sizes)).astype(int)
    piece = np.maximum(1, np.ceil(PIECE * sizes)).astype(int)
    too_large = {group for group, n in _counts(groups, labels).items() if (n > most).any()}
    alike = np.arange(len(labels)) if copies is None else copies
    of_copies = _counts(alike, labels)
    divided = groups.copy()
    current: dict[int, int] = {}  # by chain: the piece that is being filled
    filled: dict[int, npt.NDArray[np.int64]] = {}
    placed: dict[int, int] = {}  # by copies: the piece that all of them are in
    for index in order:
        chain, label, copy = int(groups[index]), int(labels[index]), int(alike[index])
        if chain not in too_large:
            continue
        if copy in placed:
            divided[index] = placed[copy]
            continue
        more = of_copies[copy]
        stay = bool((more <= most).all())
        if not stay:
            more = (np.arange(len(sizes)) == label).astype(np.int64)
        counts = filled.get(chain)
        if counts is None or counts[label] >= piece[label] or (counts + more > most).any():
            current[chain] = index
            counts = filled[chain] = np.zeros(len(sizes), np.int64)
        counts += more
        divided[index] = current[chain]
        if stay:
            placed[copy] = current[chain]
    return _by_first(divided)


def _counts(groups: Groups, labels: Labels) -> dict[int, npt.NDArray[np.int64]]:
    """Return by group how many pictures of each class it holds."""
    counts: dict[int, npt.NDArray[np.int64]] = {}
    classes = int(labels.max(initial=0)) + 1
    for group, label in zip(groups.tolist(), labels.tolist(), strict=True):
        counts.setdefault(group, np.zeros(classes, np.int64))[label] += 1
    return counts


def by_class(groups: Groups, labels: Labels) -> Groups:
    """Divide groups that hold pictures of several classes."""
    return _by_first(groups * (int(labels.max(initial=0)) + 1) + labels)


def _by_first(groups: Groups) -> Groups:
    """Call each group by the place of its first picture."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)
