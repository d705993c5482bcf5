"""What a trained network said about pictures that it had never seen: one value for every report."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from models.calibration import confidences

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The fusion's logits for held-out pictures, and what was true.

    classes: their names. labels: int64 (N,). logits: (N, classes), of all branches together.
    missing: share of right answers with 1, 2, ... branches missing, the mean over all subsets that
    are left. temperature, threshold: the calibration in the bundle. files: of the pictures, or none.
    """

    classes: tuple[str, ...]
    labels: Integers
    logits: Floats
    missing: tuple[float, ...] = ()
    temperature: float = 1.0
    threshold: float = 0.0
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.logits.shape != (len(self.labels), len(self.classes)) or not len(self.labels):
            raise ValueError(
                f"logits are ({len(self.labels)}, {len(self.classes)}), not {self.logits.shape}"
            )
        if self.files and len(self.files) != len(self.labels):
            raise ValueError(
                f"{len(self.files)} files are not those of {len(self.labels)} pictures"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def answers(self) -> Integers:
        """The class that each picture (N,) is given."""
        return np.asarray(self.logits.argmax(1), np.int64)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each answer (N,) is true."""
        return np.asarray(self.answers == self.labels, np.bool_)

    @property
    def confidences(self) -> Floats:
        """How sure each answer (N,) is: the largest softmax of its logits over the temperature."""
        return confidences(self.logits, self.temperature)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether each answer (N,) is sure enough not to be called unknown."""
        return np.asarray(self.confidences >= self.threshold, np.bool_)

    @property
    def confusion(self) -> Integers:
        """How many pictures of a class (row) were given which class (column)."""
        counts = np.zeros((len(self.classes), len(self.classes)), np.int64)
        np.add.at(counts, (self.labels, self.answers), 1)
        return counts

    def worst(self) -> Integers:
        """Return the indices of the wrong answers, the surest first: those are the worst."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidences[wrong], kind="stable")].astype(np.int64)

    def take(self, indices: Integers) -> Self:
        """Return the outcome for some of the pictures; `missing` is that of all."""
        files = tuple(self.files[index] for index in indices) if self.files else ()
        return type(self)(
            self.classes, self.labels[indices], self.logits[indices], self.missing,
            self.temperature, self.threshold, files,
        )  # fmt: skip
