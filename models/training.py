"""Training so that fusion works with branches missing, and the accuracy with and without them."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from models.cnn import BranchedCNN
from pictures.labelled import Pictures

PAPER_PHASES = ((20, 1e-3), (4, 1e-4), (1, 1e-5))  # Xie & Yuille, section 4.1, MNIST
PICTURES_AT_ONCE = 500  # when only measuring
STATISTICS_PICTURES = 500  # for the last word on batch-norm statistics


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how a network is trained.

    phases: (epochs, learning rate) in a row. curve: `steps` keeps each phase's rate; `one-cycle`
    rises over the first quarter to the highest rate and falls to nearly nothing by the end.
    drop: probability with which a branch is missing from the second half of the loss; 0 trains
    the whole network alone. shift: pictures are moved at random by up to so many pixels.
    mirror: half of the pictures are mirrored. bfloat16: convolutions compute in half precision,
    weights stay whole; faster where the processor has such instructions, slower elsewhere.
    """

    phases: tuple[tuple[int, float], ...] = PAPER_PHASES
    curve: Literal["steps", "one-cycle"] = "steps"
    optimiser: Literal["adamw", "sgd"] = "adamw"
    batch: int = 64
    drop: float = 0.25
    weight_decay: float = 1e-4
    shift: int = 0
    mirror: bool = False
    bfloat16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.phases or any(epochs < 1 or not rate > 0 for epochs, rate in self.phases):
            raise ValueError("phases: each needs at least one epoch and a rate above zero")
        if self.curve not in ("steps", "one-cycle"):
            raise ValueError(f"curve: {self.curve!r} is neither steps nor one-cycle")
        if self.optimiser not in ("adamw", "sgd"):
            raise ValueError(f"optimiser: {self.optimiser!r} is neither adamw nor sgd")
        if self.batch < 2:
            raise ValueError("batch: batch normalisation needs at least two pictures")
        if not 0 <= self.drop < 1:
            raise ValueError("drop: a probability from 0 to below 1")
        if self.weight_decay < 0 or self.shift < 0:
            raise ValueError("weight_decay and shift: not below zero")

    @property
    def epochs(self) -> int:
        """Epochs in all."""
        return sum(epochs for epochs, _ in self.phases)

    def rate(self, progress: float) -> float:
        """Learning rate at `progress` epochs (from 0 to `epochs`, fractions allowed)."""
        if self.curve == "one-cycle":
            done = progress / self.epochs
            peak = max(rate for _, rate in self.phases)
            rising, falling = done / 0.25, (done - 0.25) / 0.75
            cosine = math.cos(math.pi * (1 - rising if rising < 1 else falling))
            return peak * max(0.01, (1 + cosine) / 2)
        for epochs, rate in self.phases:
            if progress < epochs:
                return rate
            progress -= epochs
        return self.phases[-1][1]


@dataclass(frozen=True, slots=True)
class Progress:
    """Told after each epoch: epochs done, of how many, and the mean loss of this one."""

    epoch: int
    epochs: int
    loss: float


def train(
    model: BranchedCNN,
    pictures: Pictures,
    schedule: Schedule,
    progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Train in place; leaves the model ready to run (`eval`), its mean and std those of `pictures`.

    The loss of a batch is the cross-entropy of the whole sum of partial logits; with several
    branches and `drop` above zero, half of it is that of a random subset of branches, drawn for
    each picture, never empty, from the same forward pass. In training alone, the sum of a subset
    is rescaled by B / kept: so no branch learns to make up for the size of another. Equal model,
    pictures, schedule and number of torch threads give equal weights.
    """
    random = torch.Generator().manual_seed(schedule.seed)
    pixels = torch.tensor(pictures.pixels)  # (N, C, H, W) bytes
    labels = torch.tensor(pictures.labels)  # (N,)
    set_normalisation(model, pictures)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
    optimiser = optimiser_for(model, schedule)
    model.train()
    for epoch in range(schedule.epochs):
        loss = train_epoch(
            model.normalise,
            model.partial_logits,
            lambda partial, labels: _loss(model, partial, labels, schedule.drop, random),
            optimiser=optimiser,
            pictures=(pixels, labels),
            schedule=schedule,
            epoch=epoch,
            random=random,
        )
        progress(Progress(epoch + 1, schedule.epochs, loss))
    measure_statistics(model, pixels[torch.randperm(len(pixels), generator=random)])
    model.eval()


def train_epoch(
    normalise: Callable[[Tensor], Tensor],
    partial_logits: Callable[[Tensor], Tensor],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    *,
    optimiser: torch.optim.Optimizer,
    pictures: tuple[Tensor, Tensor],
    schedule: Schedule,
    epoch: int,
    random: torch.Generator,
) -> float:
    """Train one epoch, counted from 0, by the schedule; return the mean loss of its batches.

    normalise: bytes (n, C, H, W) -> floats. partial_logits: those -> (B, n, classes). loss_of: partial
    logits and labels (n,) -> one number. pictures: bytes (N, C, H, W) and labels (N,).
    """
    pixels, labels = pictures
    losses = []
    drawn = list(batches(len(pixels), schedule.batch, random))
    for index, batch in enumerate(drawn):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(epoch + index / len(drawn))
        x = normalise(augmented(pixels[batch], schedule, random))  # (n, C, H, W)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=schedule.bfloat16):
            partial = partial_logits(x)  # (B, n, classes)
        loss = loss_of(partial.float(), labels[batch])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


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
    bias = model.fusion.bias.detach()
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


def _loss(
    model: BranchedCNN, partial: Tensor, labels: Tensor, drop: float, random: torch.Generator
) -> Tensor:
    """Partial logits (B, n, classes), labels (n,) -> half the whole's loss, half a subset's."""
    cross_entropy = nn.functional.cross_entropy
    whole = cross_entropy(model.fusion(*partial.unbind(0)), labels)
    branches, pictures, _ = partial.shape
    if branches == 1 or drop == 0:
        return whole
    kept = torch.rand(branches, pictures, generator=random) >= drop  # (B, n)
    saved = torch.randint(branches, (pictures,), generator=random)  # (n,) never an empty subset
    kept[saved, torch.arange(pictures)] |= ~kept.any(0)
    scale = kept * (branches / kept.sum(0))  # (B, n) the branches that are left stand for all
    subset = cross_entropy(model.fusion(*(partial * scale.unsqueeze(2)).unbind(0)), labels)
    return (whole + subset) / 2


def measure_statistics(model: BranchedCNN, pixels: Tensor) -> None:
    """Give every batch norm the mean over some batches of the finished network.

    The running averages of training lag behind the weights; after a short training they are far off.
    pixels: bytes (N, C, H, W) in random order.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over batches
    with torch.no_grad():
        for batch in torch.split(pixels[:STATISTICS_PICTURES], 100):
            model.stage_outputs(model.normalise(batch))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def batches(count: int, size: int, random: torch.Generator) -> Iterator[Tensor]:
    """All pictures in random order; a last picture alone is left out (batch normalisation)."""
    for batch in torch.split(torch.randperm(count, generator=random), size):
        if len(batch) > 1:
            yield batch


def augmented(pixels: Tensor, schedule: Schedule, random: torch.Generator) -> Tensor:
    """Bytes (n, C, H, W) -> the same, each picture shifted and mirrored at random."""
    count, _, height, width = pixels.shape
    if schedule.shift:
        reach = schedule.shift
        padded = nn.functional.pad(pixels, (reach, reach, reach, reach), mode="constant")
        down, right = torch.randint(2 * reach + 1, (2, count, 1), generator=random)
        rows = (down + torch.arange(height))[:, None, :, None]  # (n, 1, H, 1)
        columns = (right + torch.arange(width))[:, None, None, :]  # (n, 1, 1, W)
        each = torch.arange(count)[:, None, None, None]
        channel = torch.arange(pixels.shape[1])[None, :, None, None]
        pixels = padded[each, channel, rows, columns]
    if schedule.mirror:
        mirrored = torch.rand(count, generator=random) < 0.5
        pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
    return pixels


def optimiser_for(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """Return the schedule's optimiser of a network's weights, at its first learning rate."""
    rate, decay = schedule.rate(0), schedule.weight_decay
    if schedule.optimiser == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(
        model.parameters(), lr=rate, weight_decay=decay, momentum=0.9, nesterov=True
    )


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
