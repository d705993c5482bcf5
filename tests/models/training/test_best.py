"""The epoch kept: the latest that is not clearly worse than the best; and patience that ends."""

import pytest
import torch
from torch import nn

from models.training.best import BestEpoch, Score


def offered(right: list[int], pictures: int, patience: int | None = None) -> tuple[int, int, float]:
    """Offer epochs whose weight is their number: epochs looked at, the one kept, the weight restored."""
    model, best, epoch = nn.Linear(1, 1, bias=False), BestEpoch(patience), 0
    for epoch, count in enumerate(right, start=1):
        nn.init.constant_(model.weight, epoch)
        if not best.offer(epoch, Score(count, pictures), model):
            break
    best.restore(model)
    return epoch, best.epoch, float(model.weight.item())


@pytest.mark.parametrize(
    ("right", "pictures", "kept"),
    [
        ([10, 18, 16], 20, 2),  # 16 of 20 are clearly less than 18
        ([10, 18, 17], 20, 3),  # one less of twenty is not
        ([20, 19], 20, 1),  # but it is less than all
        ([20, 20, 20], 20, 3),
        ([380, 392, 390, 390], 400, 4),
        ([380, 392, 390, 387], 400, 3),
        ([392, 390, 396, 391], 400, 3),  # measured against the best, not against the one kept
    ],
)
def test_the_latest_that_is_not_clearly_below_the_best_is_kept(
    right: list[int], pictures: int, kept: int
) -> None:
    assert offered(right, pictures) == (len(right), kept, float(kept))


def test_patience_counts_epochs_since_the_one_kept() -> None:
    assert offered([5, 9, *[4] * 9], 10, patience=3) == (5, 2, 2.0)
    assert offered([5, 9, 4, 4, 10, *[4] * 9], 10, patience=3) == (8, 5, 5.0)


def test_without_any_epoch_the_weights_stay() -> None:
    model = nn.Linear(1, 1, bias=False)
    before = model.weight.detach().clone()
    BestEpoch(None).restore(model)
    assert torch.equal(model.weight, before)
