"""What training lowers: cross-entropy, half of it with branches missing.

B is the number of branches, n that of pictures.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.training.schedule import Schedule
from models.training.strangers import STRANGER

Criterion = Callable[[Tensor, Tensor], Tensor]  # logits (n, classes), labels (n,) -> one number


def criterion(schedule: Schedule, labels: Tensor, classes: int) -> Criterion:
    """Return the schedule's cross-entropy; class weights come from `labels` (N,), all that there are.

    Balanced, a class weighs the inverse of its pictures; one that has none weighs nothing. Of
    strangers (label -1) it is the divergence from being equally unsure of all classes, at half weight.
    """
    weights = None
    if schedule.balanced:
        counts = torch.bincount(labels, minlength=classes)  # (classes,)
        weights = torch.where(counts > 0, len(labels) / (classes * counts.clamp(min=1)), 0.0)
    cross_entropy = nn.CrossEntropyLoss(weight=weights, label_smoothing=schedule.smoothing)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        known = labels != STRANGER
        if not schedule.strangers:
            return cross_entropy(logits, labels)  # type: ignore[no-any-return]  # torch's stub
        unsure = -nn.functional.log_softmax(logits[~known], 1).mean() - math.log(classes)
        return cross_entropy(logits[known], labels[known]) + unsure / 2  # type: ignore[no-any-return]

    return loss


def branched_loss(
    partial: Tensor,
    labels: Tensor,
    *,
    fusion: Callable[..., Tensor],
    criterion: Criterion,
    drop: float,
    random: torch.Generator,
) -> Tensor:
    """Partial logits (B, n, classes), labels (n,) -> half the whole's loss, half a subset's.

    The subset is drawn for each picture and never empty. It is rescaled by B / kept: so no branch
    learns to make up for the size of another.
    """
    whole = criterion(fusion(*partial.unbind(0)), labels)
    branches, pictures, _ = partial.shape
    if branches == 1 or drop == 0:
        return whole
    kept = torch.rand(branches, pictures, generator=random) >= drop  # (B, n)
    saved = torch.randint(branches, (pictures,), generator=random)  # (n,) never an empty subset
    kept[saved, torch.arange(pictures)] |= ~kept.any(0)
    scale = kept * (branches / kept.sum(0))  # (B, n) the branches that are left stand for all
    subset = criterion(fusion(*(partial * scale.unsqueeze(2)).unbind(0)), labels)
    return (whole + subset) / 2
