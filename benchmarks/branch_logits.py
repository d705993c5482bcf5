"""How fast combinations of known branches are scored: ``python -m benchmarks.branch_logits [--rounds N] [--json]``.

1,000 pictures, 10 classes, 4 branches, one process and one thread. Known are 12 branches for each position; all
12^4 combinations of them are scored, in the order of the product and in random order. The same by numpy, one
addition and one argmax a combination, is measured in the same run, and must find the same.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt

from models.branch_logits import BranchLogits, Floats, Ints

PICTURES, CLASSES, BRANCHES, KNOWN = 1000, 10, 4, 12
NUMPY_COMBINATIONS = 1000  # it is slower


def _by_numpy(logits: Floats, labels: Ints, bias: Floats, rows: Ints) -> npt.NDArray[np.float64]:
    """Add and take the argmax, as anybody would: logits (K, N, classes), rows (M, B) -> (M,)."""
    return np.array([((logits[row].sum(0) + bias).argmax(1) == labels).mean() for row in rows])


def _rates(score: Callable[[], object], combinations: int, rounds: int) -> dict[str, float]:
    """Return combinations per second: median, least and most of the rounds."""
    rates = []
    for _ in range(rounds):
        began = time.perf_counter()
        score()
        rates.append(combinations / (time.perf_counter() - began))
    return {"median": statistics.median(rates), "min": min(rates), "max": max(rates)}


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    logits = random.normal(size=(BRANCHES * KNOWN, PICTURES, CLASSES)).astype(np.float32)
    labels = random.integers(0, CLASSES, PICTURES)
    bias = random.normal(size=CLASSES).astype(np.float32)
    rows = np.array(list(product(*np.arange(BRANCHES * KNOWN).reshape(BRANCHES, KNOWN))))
    shuffled = random.permutation(rows)
    some = shuffled[:NUMPY_COMBINATIONS]
    known = BranchLogits(logits, labels, bias)
    found = known.accuracy(some)  # compiles
    if not np.array_equal(found, _by_numpy(logits, labels, bias, some)):
        raise SystemExit("numpy finds other accuracies")
    result = {
        "known branches, product": _rates(
            lambda: known.accuracy(rows), len(rows), arguments.rounds
        ),
        "known branches, random order": _rates(
            lambda: known.accuracy(shuffled), len(rows), arguments.rounds
        ),
        "numpy": _rates(lambda: _by_numpy(logits, labels, bias, some), len(some), arguments.rounds),
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{arguments.rounds} rounds                 combinations/s: median      min      max")
    for name, rates in result.items():
        print(f"{name:<38} {rates['median']:9.0f} {rates['min']:8.0f} {rates['max']:8.0f}")


if __name__ == "__main__":
    main()
