"""What suits the data: how long, how fast and with what augmentation a data set is trained.

Decided by the number of pictures, their size and classes, and by what can be seen without training
(`models.likeness`). Trials by training are no help with few pictures: of twelve held-out pictures,
one more or less right is luck. Measured in docs/benchmarks/own_pictures.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from models.likeness import Pixels, likeness, mirrored
from models.training.augmentation import augmented
from models.training.schedule import Schedule
from pictures.labelled import Pictures

SEEN: Final = 16_000
"""Pictures seen in all, of two classes with fifty each or fewer.

It grows with the root of the classes, for there is more to learn, and with that of the pictures in
each: more pictures are seen more, but each less often.
"""
QUICK: Final = 0.1
"""The effort for a candidate of a search: enough to tell what learns from what does not."""
RATE: Final = 5e-3
PLAIN: Final = 0.3
"""Where so many pixels are wholly black or white, pictures are drawn or scanned, not photographed."""
UNEQUAL: Final = 1.5
TURN: Final = 10.0  # degrees
STRANGERS: Final = 0.15
SMOOTHING: Final = 0.1


@dataclass(frozen=True, slots=True)
class Recipe:
    """A schedule, and a sentence for each of its choices."""

    schedule: Schedule
    reasons: tuple[str, ...]


def recipe(pictures: Pictures, *, effort: float = 1.0, seed: int = 0) -> Schedule:
    """Return the schedule that suits pictures to train on.

    effort: how long to train, times what is usual; `QUICK` for a candidate of a search. Raises
    ValueError without pictures, or for an effort that is not above zero.
    """
    return advised(pictures, effort=effort, seed=seed).schedule


def advised(
    pictures: Pictures, *, effort: float = 1.0, seed: int = 0, epochs: int | None = None
) -> Recipe:
    """Return the schedule of `recipe`, with reasons that can be shown to people.

    epochs: so many, whatever suits the pictures.
    """
    count = len(pictures)
    if not count or not effort > 0:
        raise ValueError("a recipe needs pictures, and an effort above zero")
    counts = np.bincount(pictures.labels)
    counts = counts[counts > 0]
    seen = SEEN * (max(1.0, len(counts) / 2) * max(1.0, count / len(counts) / 50)) ** 0.5
    suited = max(1, round(seen * effort / count))
    often = f"{suited} epochs of {count} pictures: the fewer pictures, the more often each is seen"
    if epochs is None:
        epochs = suited
    else:
        often = f"{epochs} epochs of {count} pictures, as was asked for; {suited} would suit them"
    shift = round(0.07 * min(pictures.shape[1:]))
    balanced = bool(counts.max() > UNEQUAL * counts.min())
    photographs = not _plain(pictures)
    mirror = likeness(pictures, mirrored).helps
    turn = likeness(pictures, _turned).helps
    reasons = [
        often,
        f"moved by up to {shift} pixels and 10 % larger or smaller: no camera and no thing stands still",
        "in other light and colours: these are photographs"
        if photographs
        else f"not in other light: {PLAIN:.0%} of the pixels or more are wholly black or white",
        "mirrored: mirrored pictures resemble others, of their own class"
        if mirror
        else "not mirrored: mirrored pictures resemble no others, or those of other classes",
        f"turned by up to {TURN:.0f} degrees: turned pictures resemble others, of their own class"
        if turn
        else "not turned: turned pictures resemble no others, or those of other classes",
    ]
    reasons.append(
        "with pictures of nothing, so that a stranger is not taken for one of the classes"
    )
    if balanced:
        reasons.append(f"classes weighed: they have {counts.min()} to {counts.max()} pictures")
    return Recipe(
        Schedule(
            phases=((epochs, RATE),),
            curve="one-cycle",
            batch=_batch(count),
            weight_decay=0.02,
            decay_norms=False,
            smoothing=SMOOTHING,
            balanced=balanced,
            strangers=STRANGERS,
            patience=max(1, epochs // 2),
            shift=shift,
            scale=0.1,
            turn=TURN if turn else 0.0,
            mirror=mirror,
            light=0.5 if photographs else 0.0,
            colour=0.2 if photographs else 0.0,
            seed=seed,
        ),
        tuple(reasons),
    )


def _batch(count: int) -> int:
    """Small batches for few pictures: they need updates more than even gradients."""
    return next(
        (size for size, most in ((16, 500), (32, 5000), (64, 20_000)) if count <= most), 128
    )


def _plain(pictures: Pictures) -> bool:
    """Whether many pixels have no value between black and white."""
    some = pictures.pixels[:: max(1, len(pictures) // 200)]
    return bool(((some == 0) | (some == 255)).mean() >= PLAIN)


def _turned(pixels: Pixels) -> Pixels:
    """Turn each picture at random, always the same."""
    random = torch.Generator().manual_seed(0)
    turned = augmented(torch.tensor(pixels), Schedule(turn=TURN), random)
    return turned.round().to(torch.uint8).numpy()
