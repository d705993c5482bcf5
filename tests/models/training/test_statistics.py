"""Mean and deviation of pictures and of what the layers see, each picture counted once."""

import numpy as np
import torch
from torch import nn

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.evaluator import seeded_network
from models.training.statistics import measure_statistics, set_normalisation
from pictures.labelled import Pictures

SHAPE = NetworkShape(classes=2, input=(1, 4, 4), channels=((3,),))


def test_statistics_are_those_of_all_pictures_however_they_divide_into_batches() -> None:
    """101 pictures in batches of 100 must not give the last one the weight of all others."""
    pixels = np.zeros((101, 1, 4, 4), np.uint8)
    pixels[-1] = 255
    model = seeded_network(Genome.parse("0"), SHAPE, 0)
    set_normalisation(model, Pictures(pixels, np.zeros(101, np.int64)))
    measure_statistics(model, torch.from_numpy(pixels))
    convolution, norm = model.partition(0, 0).input[0], model.partition(0, 0).input[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        expected = convolution(model.normalise(torch.from_numpy(pixels))).mean((0, 2, 3))
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, expected, atol=1e-4)
    assert norm.momentum == 0.1
