"""The best epoch: more right, then less loss, then later; and patience that ends."""

import torch
from torch import nn

from models.training.best import BestEpoch, Score


def offered(scores: list[tuple[float, float]], patience: int | None) -> tuple[int, int, float]:
    """Offer epochs whose weight is their number: epochs looked at, the best one, the weight restored."""
    model, best, epoch = nn.Linear(1, 1, bias=False), BestEpoch(patience), 0
    for epoch, (accuracy, loss) in enumerate(scores, start=1):
        nn.init.constant_(model.weight, epoch)
        if not best.offer(epoch, Score(accuracy, loss), model):
            break
    best.restore(model)
    return epoch, best.epoch, float(model.weight.item())


def test_more_right_is_better_then_less_loss_then_the_later() -> None:
    assert offered([(0.5, 1.0), (0.9, 2.0), (0.8, 0.1)], None) == (3, 2, 2.0)
    assert offered([(0.9, 1.0), (0.9, 0.5), (0.9, 0.7)], None) == (3, 2, 2.0)
    assert offered([(0.9, 0.5), (0.9, 0.5)], None) == (2, 2, 2.0)


def test_patience_counts_epochs_since_the_best() -> None:
    worse = [(0.5, 1.0), (0.9, 1.0), *[(0.8, 1.0)] * 9]
    assert offered(worse, 3) == (5, 2, 2.0)
    assert offered([*worse[:4], (0.95, 1.0), *worse[2:]], 3) == (8, 5, 5.0)


def test_without_any_epoch_the_weights_stay() -> None:
    model = nn.Linear(1, 1, bias=False)
    before = model.weight.detach().clone()
    BestEpoch(None).restore(model)
    assert torch.equal(model.weight, before)
