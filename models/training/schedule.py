"""How long and how a network is trained, and what is done to the pictures meanwhile."""

import math
from dataclasses import dataclass
from typing import Literal

PAPER_PHASES = ((20, 1e-3), (4, 1e-4), (1, 1e-5))  # Xie & Yuille, section 4.1, MNIST


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how a network is trained.

    phases: (epochs, learning rate) in a row. curve: `steps` keeps each phase's rate; `one-cycle`
    rises over the first quarter to the highest rate and falls to nearly nothing by the end.
    batch: pictures in a batch, at most; an epoch divides into batches of equal size, one more or less.
    drop: probability with which a branch is missing from the second half of the loss; 0 trains
    the whole network alone. weight_decay, decay_norms: whether it takes batch norms and biases too.
    smoothing: this share of a label's weight is spread over all classes. balanced: every class
    counts the same, however many pictures it has. strangers: so many pictures of nothing, a share of
    the batch, are added to it, of which the network learns to be unsure (`models.training.strangers`).
    patience: with validation pictures, end after so
    many epochs that are clearly worse than the best (None: never). bfloat16: convolutions compute in half precision,
    weights stay whole; faster where the processor has such instructions, slower elsewhere.

    What is done to each picture anew in every epoch, at random: shift: moved by up to so many
    pixels. scale: larger or smaller by up to this share. turn: turned by up to so many degrees.
    mirror: half of the pictures are mirrored. light: brightness and contrast up to (1 + light)
    times more or less, and as uneven across the picture. colour: the same for the gain of each
    channel. noise: of a standard deviation up to this share of full white. erase: the probability
    that a rectangle (2 to 20 % of the picture) is filled with grey.
    """

    phases: tuple[tuple[int, float], ...] = PAPER_PHASES
    curve: Literal["steps", "one-cycle"] = "steps"
    optimiser: Literal["adamw", "sgd"] = "adamw"
    batch: int = 64
    drop: float = 0.25
    weight_decay: float = 1e-4
    decay_norms: bool = True
    smoothing: float = 0.0
    balanced: bool = False
    strangers: float = 0.0
    patience: int | None = None
    shift: int = 0
    scale: float = 0.0
    turn: float = 0.0
    mirror: bool = False
    light: float = 0.0
    colour: float = 0.0
    noise: float = 0.0
    erase: float = 0.0
    bfloat16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.phases or any(
            epochs < 1 or not 0 < rate < math.inf for epochs, rate in self.phases
        ):
            raise ValueError("phases: each needs at least one epoch and a rate above zero")
        if self.curve not in ("steps", "one-cycle"):
            raise ValueError(f"curve: {self.curve!r} is neither steps nor one-cycle")
        if self.optimiser not in ("adamw", "sgd"):
            raise ValueError(f"optimiser: {self.optimiser!r} is neither adamw nor sgd")
        if self.batch < 2:
            raise ValueError("batch: batch normalisation needs at least two pictures")
        if not 0 <= self.drop < 1:
            raise ValueError("drop: a probability from 0 to below 1")
        if not 0 <= self.smoothing < 1:
            raise ValueError("smoothing: a share from 0 to below 1")
        if not 0 <= self.scale < 1:
            raise ValueError("scale: a share from 0 to below 1")
        if not 0 <= self.erase <= 1:
            raise ValueError("erase: a probability from 0 to 1")
        if not 0 <= self.turn <= 180:
            raise ValueError("turn: degrees from 0 to 180")
        for name in ("weight_decay", "strangers", "shift", "light", "colour", "noise"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: not below zero, and finite")
        if self.patience is not None and self.patience < 1:
            raise ValueError("patience: at least one epoch, or none")

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
