"""What an evaluator is and what it says; without torch, so that those who only look up start fast."""

from dataclasses import dataclass, field
from typing import Protocol

from evolution.genome import Genome


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one evaluation found.

    accuracy: share of the validation pictures classified right. missing: the same with 1, 2, ...
    branches gone. seconds: how long it took, which is no part of the result of a search.
    """

    accuracy: float
    missing: tuple[float, ...]
    seconds: float = field(compare=False)


class Evaluator(Protocol):
    """Measures genomes; can be pickled, and says the same of isomorphic genomes in every process."""

    def __call__(self, genome: Genome) -> Measurement:
        """Measure. Raises ValueError or DatasetError, one sentence, when it cannot."""
        ...
