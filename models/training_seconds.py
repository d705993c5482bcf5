"""How long training takes on this machine, found out by training a little."""

import contextlib
import time
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.evaluator import seeded_network, torch_threads
from models.training import Progress, Schedule, train
from pictures.labelled import Pictures

_BATCHES: Final = 2  # in one of the epochs that are timed
_LEAST_LOOKS: Final = 3  # the first epoch also allocates memory
_MOST_LOOKS: Final = 9


class _EnoughError(Exception):
    """The time is up."""


def seconds_a_picture(
    genome: Genome,
    shape: NetworkShape,
    pictures: Pictures,
    schedule: Schedule,
    *,
    threads: int | None = None,
    budget_s: float = 0.5,
) -> float:
    """Train a network of this genome for about `budget_s` and return the seconds that a picture took.

    pictures: some of those to train on, of which a few batches are used. threads: torch threads
    (None: as many as torch takes). The network is thrown away.
    """
    few = pictures.take(np.arange(min(len(pictures), _BATCHES * schedule.batch)))
    stamps: list[float] = []

    def look(_: Progress) -> None:
        stamps.append(time.perf_counter())
        late = stamps[-1] - stamps[0] > budget_s
        if len(stamps) >= _MOST_LOOKS or (late and len(stamps) >= _LEAST_LOOKS):
            raise _EnoughError

    # So low a rate cannot diverge, and a step costs what any other does.
    endless = replace(schedule, phases=((10**6, 1e-9),), curve="steps", patience=None)
    with torch_threads(threads), contextlib.suppress(_EnoughError):
        train(seeded_network(genome, shape, schedule.seed), few, endless, look)
    return median(after - before for before, after in pairwise(stamps)) / len(few)
