"""What a network knows of its pictures as a whole: mean and deviation, before and between layers."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from models.cnn import BranchedCNN
from pictures.labelled import Pictures

STATISTICS_PICTURES = 500  # for the last word on batch-norm statistics
PICTURES_AT_ONCE = 100


def set_normalisation(model: nn.Module, pictures: Pictures) -> None:
    """Set the buffers `mean` and `std`: mean and standard deviation by channel of pictures (N, C, H, W) in [0, 1]."""
    counts = np.stack(
        [np.bincount(channel.ravel(), minlength=256) for channel in pictures.pixels.swapaxes(0, 1)]
    )  # (C, 256): exact however many pictures
    values = np.arange(256) / 255
    mean = counts @ values / counts.sum(1)
    variance = counts @ values**2 / counts.sum(1) - mean**2
    model.get_buffer("mean").copy_(torch.from_numpy(mean))
    model.get_buffer("std").copy_(torch.from_numpy(np.sqrt(np.maximum(variance, 1e-6))))


def measure_statistics(model: BranchedCNN, pixels: Tensor) -> None:
    """Give every batch norm the mean over some batches of the finished network, by their pictures.

    The running averages of training lag behind the weights; after a short training they are far off.
    pixels: values (N, C, H, W) from 0 to 255, in random order; a few hundred are enough.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.train()
    seen = 0
    with torch.no_grad():
        for batch in torch.tensor_split(pixels, math.ceil(len(pixels) / PICTURES_AT_ONCE)):
            seen += len(batch)
            for norm in norms:
                norm.momentum = len(batch) / seen  # a batch of three counts as three pictures
            model.stage_outputs(model.normalise(batch))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
