"""Which epoch to keep, by the validation pictures, and whether to wait for a better one."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.cnn import BranchedCNN
from models.training.accuracy import measured_partial_logits
from pictures.labelled import Pictures


@dataclass(frozen=True, slots=True)
class Score:
    """How an epoch did on the validation pictures: so many are right."""

    right: int
    pictures: int

    @property
    def accuracy(self) -> float:
        """Share of the pictures that are right."""
        return self.right / self.pictures

    def is_clearly_below(self, top: "Score") -> bool:
        """Whether it is worse than `top` by more than the standard error of that many pictures.

        With one more right and one more wrong (Laplace), so that all right is no certainty.
        """
        chance = (top.right + 1) / (top.pictures + 2)
        error: float = (chance * (1 - chance) / top.pictures) ** 0.5
        return self.accuracy < top.accuracy - error


def scored(model: BranchedCNN, pictures: Pictures) -> Score:
    """Measure a network as it is."""
    logits = measured_partial_logits(model, pictures).sum(0) + model.fusion.bias.detach()
    right = logits.argmax(1).eq(torch.tensor(pictures.labels)).sum()
    return Score(int(right), len(pictures))


class BestEpoch:
    """Keeps a copy of the weights of the latest epoch that is not clearly below the best.

    Rates fall, so later weights are better unless the pictures say otherwise; the very best count
    of a few pictures, over many epochs, is mostly luck.
    """

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._weights: dict[str, Tensor] = {}
        self._top: Score | None = None
        self.epoch = 0
        """The epoch kept, counted from 1; 0 before any was offered."""

    def offer(self, epoch: int, score: Score, model: nn.Module) -> bool:
        """Look at an epoch that has ended; return whether training should go on."""
        if self._top is None or score.right > self._top.right:
            self._top = score
        if not score.is_clearly_below(self._top):
            self.epoch = epoch
            self._weights = {name: each.clone() for name, each in model.state_dict().items()}
        return self._patience is None or epoch - self.epoch < self._patience

    def restore(self, model: nn.Module) -> None:
        """Give the model the weights of the epoch kept."""
        if self._weights:
            model.load_state_dict(self._weights)
