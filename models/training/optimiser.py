"""What moves the weights."""

import torch
from torch import nn

from models.training.schedule import Schedule


def optimiser_for(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """Return the schedule's optimiser of a network's weights, at its first learning rate.

    Vectors are batch norms and biases; matrices and kernels are what weight decay is made for.
    """
    rate, decay = schedule.rate(0), schedule.weight_decay
    weights = list(model.parameters())
    groups = [{"params": weights, "weight_decay": decay}]
    if not schedule.decay_norms:
        groups = [
            {"params": [each for each in weights if each.ndim > 1], "weight_decay": decay},
            {"params": [each for each in weights if each.ndim <= 1], "weight_decay": 0.0},
        ]
    if schedule.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=True)
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)
