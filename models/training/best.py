"""Which epoch was the best one so far, and whether to wait for a better one."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.cnn import BranchedCNN
from models.training.accuracy import measured_partial_logits
from pictures.labelled import Pictures


@dataclass(frozen=True, slots=True)
class Score:
    """How an epoch did on the validation pictures: the share classified right, the mean loss."""

    accuracy: float
    loss: float

    def beats(self, other: "Score") -> bool:
        """Whether it is better: more right, or as many at no higher a loss (the later of equals)."""
        return (self.accuracy, -self.loss) >= (other.accuracy, -other.loss)


def scored(model: BranchedCNN, pictures: Pictures) -> Score:
    """Measure a network as it is."""
    logits = measured_partial_logits(model, pictures).sum(0) + model.fusion.bias.detach()
    labels = torch.tensor(pictures.labels)  # (N,)
    right = logits.argmax(1).eq(labels).float().mean().item()
    return Score(right, nn.functional.cross_entropy(logits, labels).item())


class BestEpoch:
    """Keeps a copy of the weights of the best epoch."""

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._weights: dict[str, Tensor] = {}
        self.epoch = 0
        """The best epoch, counted from 1; 0 before any was offered."""
        self.score: Score | None = None

    def offer(self, epoch: int, score: Score, model: nn.Module) -> bool:
        """Look at an epoch that has ended; return whether training should go on."""
        if self.score is None or score.beats(self.score):
            self.epoch, self.score = epoch, score
            self._weights = {name: each.clone() for name, each in model.state_dict().items()}
        return self._patience is None or epoch - self.epoch < self._patience

    def restore(self, model: nn.Module) -> None:
        """Give the model the weights of the best epoch."""
        if self._weights:
            model.load_state_dict(self._weights)
