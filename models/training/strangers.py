"""Pictures of nothing: what a network should not be sure of, made from its own pictures and from noise.

Outlier exposure: Hendrycks, Mazeika & Dietterich, ICLR 2019 (arXiv 1812.04606). It takes pictures of
other things; we have none, so these are made. n is the number of strangers, C, H, W their size.
"""

import math

import torch
from torch import Tensor, nn

from models.training.augmentation import WHITE, between

STRANGER = -1  # the label of no class
GRAINS = (2, 4, 8, 16)  # cells across of the noise that is added up
ZOOM = (0.15, 0.35)  # of a picture's side, that an enlarged piece shows
MASK = 6  # cells across where a piece gives way to noise


def strangers(pixels: Tensor, count: int, random: torch.Generator) -> Tensor:
    """Bytes (N, C, H, W) -> values from 0 to 255 (n, C, H, W): noise, pieces of pictures, or both.

    Pieces are so much enlarged and turned that nothing is what it was; noise is smooth to coarse, of
    any colour and contrast.
    """
    fields = _fields(count, pixels.shape[1:], random)
    chosen = torch.randint(len(pixels), (count,), generator=random)
    pieces = _pieces(pixels[chosen].float(), random)
    height, width = pixels.shape[2:]
    mask = torch.rand((count, 1, MASK, MASK), generator=random) < 0.5
    patches = nn.functional.interpolate(mask.float(), (height, width))
    shares = torch.rand((count, 1, 1, 1), generator=random)
    kind = torch.randint(4, (count, 1, 1, 1), generator=random)
    noise = torch.where(kind == 0, 1.0, torch.where(kind == 1, 0.0, shares))
    noise = torch.where(kind == 3, patches, noise)
    return noise * fields + (1 - noise) * pieces


def _fields(count: int, shape: torch.Size, random: torch.Generator) -> Tensor:
    """Return noise of several grains, grey to coloured, of random brightness and contrast."""
    channels, height, width = shape
    total = torch.zeros((count, channels, height, width))
    for cells in GRAINS:
        weight, grey = torch.rand((2, count, 1, 1, 1), generator=random)
        coarse = torch.randn((count, channels, cells, cells), generator=random)
        coarse = coarse * (1 - grey) + coarse[:, :1] * grey
        total += weight**2 * nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    grain = torch.rand((count, 1, 1, 1), generator=random) ** 2
    total += grain * torch.randn(total.shape, generator=random)
    total /= total.std((1, 2, 3), keepdim=True) + 1e-6
    brightness = torch.rand((count, channels, 1, 1), generator=random)
    contrast = torch.rand((count, 1, 1, 1), generator=random) * 0.4
    return ((brightness + contrast * total) * WHITE).clamp(0, WHITE)


def _pieces(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Return a small piece of each picture, enlarged and turned to any side."""
    count = len(pixels)
    zoom = ZOOM[0] + (ZOOM[1] - ZOOM[0]) * torch.rand(count, generator=random)
    right, down, turn = between(random, (3, count))
    cosine, sine = zoom * (turn * math.pi).cos(), zoom * (turn * math.pi).sin()
    theta = torch.stack(
        [
            torch.stack([cosine, -sine, right * 0.8], 1),
            torch.stack([sine, cosine, down * 0.8], 1),
        ],
        1,
    )  # (n, 2, 3)
    grid = nn.functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    return nn.functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
