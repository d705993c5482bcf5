"""Combinations of branches whose logits are known: each is scored by additions and an argmax.

Logits of a network are the sum of its branches' partial logits and a bias. So branches that ran
once on the validation pictures make all their combinations known, without running any of them.
K is the number of branches known, N that of pictures, M of combinations, B of branches in one.
"""

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
BLOCK = 256  # pictures at once: what is added up stays in the fastest cache


class BranchLogits:
    """Partial logits of K branches on N labelled pictures, ready to be combined.

    logits: (K, N, classes), finite. labels: (N,). bias: (classes,).
    """

    def __init__(self, logits: Floats, labels: Ints, bias: Floats) -> None:
        order = _true_class_first(labels, len(bias))
        self._pictures = len(labels)
        # Pictures are filled up to whole blocks with such as no branch classifies right.
        missing = -len(labels) % BLOCK
        self._labels = np.pad(labels, (0, missing))
        offsets = np.pad(bias[order], ((0, 0), (0, missing)))
        offsets[0, len(labels) :] = -np.inf
        self._bias = _in_blocks(offsets)  # (blocks, classes, BLOCK)
        ordered = np.take_along_axis(logits.transpose(0, 2, 1), order[None], 1)  # (K, classes, N)
        self._branches = _in_blocks(np.pad(ordered, ((0, 0), (0, 0), (0, missing))))

    def accuracy(self, combinations: Ints) -> npt.NDArray[np.float64]:
        """Share of the pictures that each combination (M, B) of branch indices classifies right: (M,).

        The same as `argmax` of the sum in the order of the row, and the bias last: of equal classes
        the first one counts, and sums round as in `models.cnn.Fusion`. Raises IndexError for an
        index that is not there.
        """
        rows = np.ascontiguousarray(combinations, np.int64)
        if rows.size and not 0 <= rows.min() <= rows.max() < self._branches.shape[1]:
            raise IndexError(f"combinations: branches are 0 to {self._branches.shape[1] - 1}")
        order = np.lexsort(rows.T[::-1])  # neighbours share the sum of all but the last branch
        right = np.zeros(len(rows), np.int64)
        _count(self._branches, self._bias, self._labels, rows[order], right)
        shares = np.empty(len(rows))
        shares[order] = right / self._pictures
        return shares


def _true_class_first(labels: Ints, classes: int) -> Ints:
    """For each picture its class, then the others in order: (classes, N)."""
    others = np.arange(classes - 1)[:, None]
    return np.vstack([labels[None], others + (others >= labels)])


def _in_blocks(values: Floats) -> Floats:
    """(..., N) -> (blocks, ..., BLOCK): what is worked on together lies together."""
    blocks = values.reshape(*values.shape[:-1], -1, BLOCK)
    return np.ascontiguousarray(np.moveaxis(blocks, -2, 0))


@numba.njit(cache=True)
def _count(branches: Floats, bias: Floats, labels: Ints, rows: Ints, right: Ints) -> None:
    """Add to `right` (M,) the pictures where the true class, row 0, is above all others."""
    blocks, classes, _ = bias.shape
    before = np.empty((classes, BLOCK), np.float32)  # the sum of all branches but the last
    true = np.empty(BLOCK, np.float32)
    top = np.empty(BLOCK, np.float32)
    for block in range(blocks):
        offset = bias[block]
        for m, row in enumerate(rows):
            if m == 0 or np.any(row[:-1] != rows[m - 1][:-1]):
                before[:] = 0
                for branch in row[:-1]:
                    before += branches[block, branch]
            last = branches[block, row[-1]]
            for n in range(BLOCK):
                true[n] = before[0, n] + last[0, n] + offset[0, n]
                top[n] = before[1, n] + last[1, n] + offset[1, n]
            for c in range(2, classes):
                for n in range(BLOCK):
                    total = before[c, n] + last[c, n] + offset[c, n]
                    top[n] = total if total > top[n] else top[n]  # noqa: FURB136 - the faster code
            above = equal = 0
            for n in range(BLOCK):
                above += top[n] < true[n]
                equal += top[n] == true[n]
            right[m] += above
            for n in range(BLOCK if equal else 0):  # rare
                if top[n] == true[n]:
                    # Of equal classes the first counts: those before the true one must be below.
                    earlier = slice(1, labels[block * BLOCK + n] + 1)
                    total = before[earlier, n] + last[earlier, n] + offset[earlier, n]
                    right[m] += not np.any(total == true[n])
