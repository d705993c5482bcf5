"""Cross-entropy as the schedule wants it, checked against its formula."""

import math

import pytest
import torch

from models.training.loss import branched_loss, criterion
from models.training.schedule import Schedule

LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]])
LABELS = torch.tensor([0, 1, 1])


def by_picture() -> list[float]:
    chosen = zip(LOGITS.tolist(), LABELS.tolist(), strict=True)
    return [math.log(sum(map(math.exp, row))) - row[label] for row, label in chosen]


def test_plain_it_is_the_mean_over_pictures() -> None:
    found = criterion(Schedule(), LABELS, 3)(LOGITS, LABELS)
    assert found.item() == pytest.approx(sum(by_picture()) / 3)


def test_balanced_every_class_counts_the_same_and_an_absent_one_nothing() -> None:
    first, second, third = by_picture()
    found = criterion(Schedule(balanced=True), LABELS, 3)(LOGITS, LABELS)
    assert found.item() == pytest.approx((first + (second + third) / 2) / 2)


def test_smoothing_spreads_a_share_over_all_classes() -> None:
    smooth = criterion(Schedule(smoothing=0.3), LABELS[:1], 3)(LOGITS[:1], LABELS[:1])
    log_sum = math.log(math.exp(2) + 2)
    assert smooth.item() == pytest.approx(log_sum - 2 * (0.7 + 0.1))


def test_one_branch_or_no_drop_is_the_whole_loss_and_draws_nothing() -> None:
    random = torch.Generator().manual_seed(0)
    before = random.get_state()
    for partial, drop in ((LOGITS[None], 0.5), (torch.stack([LOGITS, LOGITS]), 0.0)):
        found = branched_loss(
            partial,
            LABELS,
            fusion=lambda *terms: sum(terms),
            criterion=torch.nn.functional.cross_entropy,
            drop=drop,
            random=random,
        )
        whole = torch.nn.functional.cross_entropy(partial.sum(0), LABELS)
        assert torch.equal(found, whole)
    assert torch.equal(random.get_state(), before)


def test_a_subset_stands_for_all_branches() -> None:
    """Equal branches: rescaled, every subset says what the whole says, so its loss is the same."""
    partial = torch.stack([LOGITS / 4] * 4)
    found = branched_loss(
        partial,
        LABELS,
        fusion=lambda *terms: sum(terms),
        criterion=torch.nn.functional.cross_entropy,
        drop=0.6,
        random=torch.Generator().manual_seed(1),
    )
    assert found.item() == pytest.approx(sum(by_picture()) / 3, rel=1e-5)
