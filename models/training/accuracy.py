"""How well a trained network does, whole and with branches missing."""

import math
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from models.cnn import BranchedCNN
from pictures.labelled import Pictures

PICTURES_AT_ONCE = 500


def accuracy(model: BranchedCNN, pictures: Pictures, missing: int = 0) -> float:
    """Share of pictures classified right with `missing` branches gone, the mean over all subsets.

    A missing branch is a term of zeros in the fusion, as on the fog nodes.
    """
    return accuracy_by_missing(model, pictures)[missing]


def accuracy_by_missing(model: BranchedCNN, pictures: Pictures) -> tuple[float, ...]:
    """Accuracy with 0, 1, ... B - 1 branches missing, each the mean over all subsets that are left.

    Every picture runs through the network once: logits are sums, so subsets cost an addition.
    """
    partial = measured_partial_logits(model, pictures)  # (B, N, classes)
    labels = torch.tensor(pictures.labels)  # (N,)
    return right_by_missing(partial, model.fusion.bias.detach(), labels)


def right_by_missing(partial: Tensor, bias: Tensor, labels: Tensor) -> tuple[float, ...]:
    """Share of right answers with 0, 1, ... B - 1 branches missing.

    partial: logits (B, N, classes). bias: the fusion's (classes,). labels: (N,).
    """
    branches = len(partial)
    result = []
    for missing in range(branches):
        right = [
            (partial[list(kept)].sum(0) + bias).argmax(1).eq(labels).sum().item() / len(labels)
            for kept in combinations(range(branches), branches - missing)
        ]
        result.append(sum(right) / len(right))
    return tuple(result)


def measured_partial_logits(model: BranchedCNN, pictures: Pictures) -> Tensor:
    """Run all pictures through a trained model: partial logits (B, N, classes)."""
    model.eval()
    with torch.inference_mode():
        return torch.cat(
            [
                model.partial_logits(model.normalise(torch.tensor(pixels)))  # (B, n, classes)
                for pixels in np.array_split(
                    pictures.pixels, math.ceil(len(pictures) / PICTURES_AT_ONCE)
                )
            ],
            dim=1,
        )
