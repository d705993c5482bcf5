"""Pictures as they might have been taken: moved, turned, mirrored, in another light, with noise.

Everything is done to a whole batch at once, each picture by its own draws. What a schedule leaves
out draws nothing. In the comments n is the number of pictures, C, H, W their size.
"""

import math

import torch
from torch import Tensor, nn

from models.training.schedule import Schedule

ERASED = (0.02, 0.2)  # shares of the picture, of what is erased
WHITE = 255.0


def augmented(pixels: Tensor, schedule: Schedule, random: torch.Generator) -> Tensor:
    """Bytes (n, C, H, W) -> values from 0 to 255 of the same shape, as the schedule says."""
    if schedule.scale or schedule.turn:
        pixels = _affine(pixels, schedule, random)
    elif schedule.shift:
        pixels = _shifted(pixels, schedule.shift, random)
    if schedule.mirror:
        mirrored = torch.rand(len(pixels), generator=random) < 0.5
        pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
    if schedule.light or schedule.colour or schedule.noise:
        pixels = _lit(pixels.float(), schedule, random)
    if schedule.erase:
        pixels = _erased(pixels, schedule.erase, random)
    return pixels


def _shifted(pixels: Tensor, reach: int, random: torch.Generator) -> Tensor:
    """Move each picture by up to `reach` pixels; its edges are repeated where it ends."""
    count, channels, height, width = pixels.shape
    down, right = torch.randint(-reach, reach + 1, (2, count, 1), generator=random)
    rows = (down + torch.arange(height)).clamp(0, height - 1)[:, None, :, None]  # (n, 1, H, 1)
    columns = (right + torch.arange(width)).clamp(0, width - 1)[:, None, None, :]  # (n, 1, 1, W)
    each = torch.arange(count)[:, None, None, None]
    channel = torch.arange(channels)[None, :, None, None]
    return pixels[each, channel, rows, columns]


def _affine(pixels: Tensor, schedule: Schedule, random: torch.Generator) -> Tensor:
    """Move, scale and turn each picture at once; its edges are repeated where it ends."""
    count, _, height, width = pixels.shape
    down, right, size, turn = between(random, (4, count))
    angle = turn * math.radians(schedule.turn)
    zoom = (1 + schedule.scale) ** size
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    aspect = height / width  # grid_sample counts from -1 to 1 both ways
    rows = [
        torch.stack([cosine, -sine * aspect, right * (2 * schedule.shift / width)], 1),
        torch.stack([sine / aspect, cosine, down * (2 * schedule.shift / height)], 1),
    ]
    theta = torch.stack(rows, 1)  # (n, 2, 3)
    grid = nn.functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    return nn.functional.grid_sample(
        pixels.float(), grid, padding_mode="border", align_corners=False
    )


def _lit(pixels: Tensor, schedule: Schedule, random: torch.Generator) -> Tensor:
    """Change gain, contrast, evenness, colours and noise; what becomes too bright is white."""
    count, channels, height, width = pixels.shape
    if schedule.light:
        gain, contrast = (1 + schedule.light) ** between(random, (2, count, 1, 1, 1))
        x = torch.linspace(-1, 1, width)
        y = torch.linspace(-1, 1, height)[:, None]
        across, down = between(random, (2, count, 1, 1, 1)) * (schedule.light / 2)
        pixels = pixels * (gain * (1 + across * x + down * y)).clamp(min=0)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        pixels = (pixels - mean) * contrast + mean
    if schedule.colour and channels > 1:
        pixels = pixels * (1 + schedule.colour) ** between(random, (count, channels, 1, 1))
    if schedule.noise:
        strength = torch.rand((count, 1, 1, 1), generator=random) * (schedule.noise * WHITE)
        pixels = pixels + strength * torch.randn(pixels.shape, generator=random)
    return pixels.clamp(0, WHITE)


def _erased(pixels: Tensor, probability: float, random: torch.Generator) -> Tensor:
    """Fill a rectangle in some of the pictures with grey. Zhong et al. 2017, arXiv 1708.04896."""
    count, _, height, width = pixels.shape
    hit, area, aspect, down, right = torch.rand((5, count), generator=random)
    area = ERASED[0] + (ERASED[1] - ERASED[0]) * area
    aspect = 3 ** (2 * aspect - 1)  # from three times as high as wide to three times as wide
    high = (height * (area / aspect).sqrt()).clamp(1, height)
    wide = (width * (area * aspect).sqrt()).clamp(1, width)
    top, left = down * (height - high), right * (width - wide)
    y, x = torch.arange(height), torch.arange(width)
    rows = (y >= top[:, None]) & (y < (top + high)[:, None])  # (n, H)
    columns = (x >= left[:, None]) & (x < (left + wide)[:, None])  # (n, W)
    inside = rows[:, :, None] & columns[:, None, :] & (hit < probability)[:, None, None]
    return pixels.masked_fill(inside[:, None], 128)


def between(random: torch.Generator, shape: tuple[int, ...]) -> Tensor:
    """Draw numbers from -1 to 1."""
    return torch.rand(shape, generator=random) * 2 - 1
