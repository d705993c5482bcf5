"""Which groups of pictures are held out: whole ones, the same for a seed, each class in proportion."""

import hashlib

import numpy as np
import numpy.typing as npt

from pictures.grouping.groups import Groups, Labels

Counts = npt.NDArray[np.int64]


def hold_out(labels: Labels, groups: Groups, targets: Counts, seed: int) -> npt.NDArray[np.bool_]:
    """Choose groups that hold about ``targets`` pictures of each class; return which pictures those are.

    Groups come in an order drawn from the seed, and one is taken when that brings the counts nearer
    to the targets. A class of which any are wanted has pictures among those, and one of which not all
    are wanted among the others, wherever its groups allow it; where any is wanted, neither side is
    empty unless there is one group only.
    targets: (classes,).
    """
    names, inverse = np.unique(groups, return_inverse=True)
    table = np.zeros((len(names), len(targets)), np.int64)  # pictures by group and class
    np.add.at(table, (inverse, labels), 1)
    drawn = sorted(range(len(names)), key=lambda group: _draw(seed, int(names[group])))
    taken = np.zeros(len(names), np.bool_)
    got = np.zeros_like(targets)
    for group in drawn:
        if np.abs(targets - got - table[group]).sum() < np.abs(targets - got).sum():
            taken[group] = True
            got += table[group]
    totals = table.sum(axis=0)
    for label in np.flatnonzero(totals):
        for side, due in ((True, targets[label] > 0), (False, targets[label] < totals[label])):
            if due:
                _have_on(side, table, taken, drawn, int(label))
    if targets.any() and (
        taken.all() or not taken.any()
    ):  # groups larger than what is wanted: the nearest to it, alone
        distances = np.abs(table - targets).sum(axis=1)
        taken[:] = False
        taken[min(drawn, key=lambda group: distances[group])] = len(names) > 1
    return taken[inverse]


def _have_on(
    side: bool, table: Counts, taken: npt.NDArray[np.bool_], drawn: list[int], label: int
) -> None:
    """Move the smallest group that helps a class without any picture on a side."""
    if table[taken == side, label].any():
        return
    others = [group for group in drawn if table[group, label]]
    harmless = [group for group in others if not _empties(table, taken, group)]
    if harmless:
        taken[min(harmless, key=lambda group: table[group].sum())] = side


def _empties(table: Counts, taken: npt.NDArray[np.bool_], group: int) -> bool:
    """Whether a class would lose its last picture on the side that the group leaves."""
    stay = taken == taken[group]
    left = table[stay].sum(axis=0) - table[group]
    return bool((left[table[group] > 0] == 0).any())


def _draw(seed: int, group: int) -> bytes:
    """Return a random number of a group, the same on every machine and with every version of numpy."""
    return hashlib.blake2b(f"{seed} {group}".encode(), digest_size=8).digest()
