"""The loop of training: epochs of batches, the best epoch kept, a run that diverges refused."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.cnn import BranchedCNN
from models.training.augmentation import augmented
from models.training.best import BestEpoch, scored
from models.training.loss import branched_loss, criterion
from models.training.optimiser import optimiser_for
from models.training.schedule import Schedule
from models.training.statistics import STATISTICS_PICTURES, measure_statistics, set_normalisation
from models.training.strangers import STRANGER, strangers
from pictures.labelled import Pictures


class DivergedError(ValueError):
    """The loss became infinite or no number at all; `epoch`, counted from 1, and `rate` say where."""

    def __init__(self, epoch: int, rate: float, loss: float) -> None:
        self.epoch, self.rate = epoch, rate
        what = "NaN" if math.isnan(loss) else "an infinite loss"
        super().__init__(
            f"training diverged ({what}) in epoch {epoch} at rate {rate:.2g}: lower the learning rate"
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Told after each epoch: epochs done, of how many, and the mean loss of this one.

    accuracy: that on the validation pictures, where there are any.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float | None = None


def train(
    model: BranchedCNN,
    pictures: Pictures,
    schedule: Schedule,
    progress: Callable[[Progress], None] = lambda _: None,
    validation: Pictures | None = None,
) -> int:
    """Train in place; leaves the model ready to run (`eval`), its mean and std those of `pictures`.

    The loss of a batch is the cross-entropy of the whole sum of partial logits; with several
    branches and `drop` above zero, half of it is that of a random subset of branches. With
    validation pictures the weights of the latest epoch that is not clearly worse on them than the best
    are kept, and training ends early when the schedule has a patience. Returns the epoch kept, from 1.

    Equal model, pictures, schedule and number of torch threads give equal weights. Raises
    DivergedError when the loss is no finite number any more; the weights are worthless then.
    """
    random = torch.Generator().manual_seed(schedule.seed)
    pixels = torch.tensor(pictures.pixels)  # (N, C, H, W) bytes
    labels = torch.tensor(pictures.labels)  # (N,)
    set_normalisation(model, pictures)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
    optimiser = optimiser_for(model, schedule)
    cross_entropy = criterion(schedule, labels, model.shape.classes)
    best = BestEpoch(schedule.patience)
    epoch = 0
    for epoch in range(1, schedule.epochs + 1):
        model.train()
        loss = train_epoch(
            model.normalise,
            model.partial_logits,
            lambda partial, labels: branched_loss(
                partial,
                labels,
                fusion=model.fusion,
                criterion=cross_entropy,
                drop=schedule.drop,
                random=random,
            ),
            optimiser=optimiser,
            pictures=(pixels, labels),
            schedule=schedule,
            epoch=epoch - 1,
            random=random,
        )
        score = None if validation is None else scored(model, validation)
        told = None if score is None else score.accuracy
        progress(Progress(epoch, schedule.epochs, loss, told))
        if score is not None and not best.offer(epoch, score, model):
            break
    best.restore(model)
    drawn = torch.randperm(len(pixels), generator=random)[:STATISTICS_PICTURES]
    measure_statistics(model, _mixed(pixels[drawn], schedule, random))
    model.eval()
    if not all(bool(values.isfinite().all()) for values in model.state_dict().values()):
        raise DivergedError(epoch, schedule.rate(epoch - 1), math.nan)  # by the very last batch
    return best.epoch or epoch


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
    """Train one epoch, counted from 0, by the schedule; return the mean loss of its pictures.

    normalise: values (n, C, H, W) from 0 to 255 -> what the network takes. partial_logits: those ->
    (B, n, classes). loss_of: partial logits and labels (n,) -> one number. pictures: bytes
    (N, C, H, W) and labels (N,). Raises DivergedError when a loss is not finite.
    """
    pixels, labels = pictures
    total, rate = 0.0, schedule.rate(epoch)
    drawn = batches(len(pixels), schedule.batch, random)
    for index, batch in enumerate(drawn):
        rate = schedule.rate(epoch + index / len(drawn))
        for group in optimiser.param_groups:
            group["lr"] = rate
        values, known = with_strangers(pixels[batch], labels[batch], schedule, random)
        x = normalise(values)  # (n, C, H, W)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=schedule.bfloat16):
            partial = partial_logits(x)  # (B, n, classes)
        loss = loss_of(partial.float(), known)
        found = loss.item()
        if not math.isfinite(found):
            raise DivergedError(epoch + 1, rate, found)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += found * len(batch)
    return total / len(pixels)


def _mixed(pixels: Tensor, schedule: Schedule, random: torch.Generator) -> Tensor:
    """Pictures as they are, and among them the share of strangers that batches had in training."""
    if not schedule.strangers:
        return pixels
    strange = strangers(pixels, max(1, round(len(pixels) * schedule.strangers)), random)
    both = torch.cat([pixels.float(), strange])
    return both[torch.randperm(len(both), generator=random)]


def with_strangers(
    pixels: Tensor, labels: Tensor, schedule: Schedule, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Augment a batch, bytes (n, C, H, W), and add the strangers that the schedule wants."""
    values = augmented(pixels, schedule, random)
    if not schedule.strangers:
        return values, labels
    strange = strangers(pixels, max(1, round(len(pixels) * schedule.strangers)), random)
    unknown = torch.full((len(strange),), STRANGER)
    return torch.cat([values.float(), strange]), torch.cat([labels, unknown])


def batches(count: int, size: int, random: torch.Generator) -> tuple[Tensor, ...]:
    """All pictures in random order, in batches of at most `size`, equal but for one picture.

    So no few pictures are left over, which would count as much as a whole batch.
    """
    number = max(1, min(math.ceil(count / size), count // 2))  # batch norms want two in each
    return torch.tensor_split(torch.randperm(count, generator=random), number)
