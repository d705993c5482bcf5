"""How good a genome is, found out by training it: the search's honest, slow evaluator."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.cnn import BranchedCNN
from models.measurement import Measurement
from models.training import Schedule, accuracy_by_missing, train
from pictures.dataset import load
from pictures.labelled import Pictures

QUICK = Schedule(phases=((1, 1e-2),), curve="one-cycle", batch=16)
"""One epoch of small batches: on 800 digits, networks differ enough after 3 seconds of one core."""


@dataclass(frozen=True, slots=True)
class TrainingEvaluator:
    """Trains a genome on part of the training pictures and measures it on another part.

    The test pictures are never touched. An evaluator is a few words, so it is cheap to pickle: each
    process loads the data set by name and keeps it. Equal evaluators give isomorphic genomes equal
    measurements in every process, for the weights begin from the canonical genome and the seed.

    dataset: a name or folder for `pictures.dataset.load`. validation: pictures set apart for
    measuring. training: pictures to train on (None: all others). threads: torch threads per call;
    with one process per core, one.
    """

    dataset: str
    shape: NetworkShape
    schedule: Schedule = QUICK
    validation: int = 1000
    training: int | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if self.validation < 1:
            raise ValueError("validation: needs at least one picture")
        if self.training is not None and self.training < 2:
            raise ValueError("training: needs at least two pictures")
        if self.threads < 1:
            raise ValueError("threads: needs at least one")

    def __call__(self, genome: Genome) -> Measurement:
        """Train and measure. Raises DatasetError when the data set is not there, ValueError when it is too small."""
        pictures, validation = search_pictures(
            self.dataset, self.shape.input, self.validation, self.training
        )
        begun = time.perf_counter()
        genome = genome.canonical()
        with torch_threads(self.threads):
            schedule = replace(self.schedule, seed=self._seed(genome))
            model = seeded_network(genome, self.shape, schedule.seed)
            train(model, pictures, schedule)
            whole, *missing = accuracy_by_missing(model, validation)
        return Measurement(whole, tuple(missing), time.perf_counter() - begun)

    def _seed(self, genome: Genome) -> int:
        """Draw a seed for this network from the schedule's: no two networks share their luck."""
        text = f"{self.schedule.seed} {genome}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7])


@lru_cache(maxsize=2)
def search_pictures(
    dataset: str, shape: tuple[int, int, int], validation: int, training: int | None
) -> tuple[Pictures, Pictures]:
    """Pictures to train on and pictures to measure on, fitted to (C, H, W); the test pictures are neither.

    validation and training: how many (training None: all others). Raises DatasetError when the data
    set is not there, ValueError when it is too small.
    """
    rest, validating = load(dataset, shape).train.split(validation)
    if training is None or training == len(rest):
        return rest, validating
    return rest.split(training)[1], validating


def seeded_network(genome: Genome, shape: NetworkShape, seed: int) -> BranchedCNN:
    """Make a network whose first weights depend on the seed alone; torch's own random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BranchedCNN(genome, shape)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
