"""How good a genome is, found out by training it: the search's honest, slow evaluator."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.cnn import BranchedCNN
from models.measurement import Measurement
from models.training import Schedule, accuracy_by_missing, train
from pictures.dataset import Dataset, is_class_folders, load, survey
from pictures.folders.gathering import Tell, quietly
from pictures.framing import WHOLE, Framing
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
    with one process per core, one. framing: what of each picture is fitted to the shape.
    """

    dataset: str
    shape: NetworkShape
    schedule: Schedule = QUICK
    validation: int = 1000
    training: int | None = None
    threads: int = 1
    framing: Framing = WHOLE

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
            self.dataset, self.shape.input, self.validation, self.training, self.framing
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
    dataset: str,
    shape: tuple[int, int, int],
    validation: int,
    training: int | None,
    framing: Framing = WHOLE,
) -> tuple[Pictures, Pictures]:
    """Pictures to train on and pictures to measure on, fitted to (C, H, W); the test pictures are neither.

    validation and training: how many (training None: all others). Raises DatasetError when the data
    set is not there, ValueError when it is too small.
    """
    rest, validating = framed(dataset, shape, framing).train.split(validation)
    if training is None or training == len(rest):
        return rest, validating
    return rest.split(training)[1], validating


_framed: dict[tuple[str, tuple[int, int, int], Framing], Dataset] = {}


def framed(
    dataset: str, shape: tuple[int, int, int], framing: Framing = WHOLE, tell: Tell = quietly
) -> Dataset:
    """Load a data set as networks of this input see it, (C, H, W); each process reads it once.

    tell: told how many files are read. Raises DatasetError when it is not there.
    """
    key = dataset, shape, framing
    if key not in _framed:
        _framed.clear()  # one at a time: they are large
        folders = is_class_folders(dataset)
        _framed[key] = (
            survey(Path(dataset), shape, framing, tell)[0]
            if folders
            else load(dataset, shape, framing)
        )
    return _framed[key]


def seeded_network(genome: Genome, shape: NetworkShape, seed: int) -> BranchedCNN:
    """Make a network whose first weights depend on the seed alone; torch's own random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BranchedCNN(genome, shape)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with so many threads meanwhile (None: as many as before)."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
