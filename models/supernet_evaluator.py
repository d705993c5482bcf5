"""How good a genome is, told by the shared weights of its space: nothing is trained for it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space, Stage
from models.branch_logits import BranchLogits, Floats
from models.evaluator import search_pictures, torch_threads
from models.measurement import Measurement
from models.shared_network import PICTURE
from models.supernet import described, read_state, seeded_shared_network
from pictures.framing import WHOLE, Framing
from pictures.labelled import Pictures

STATISTICS_PICTURES = 250  # training pictures that batch-norm statistics are counted on
OUTPUTS_KEPT = 32  # outputs of stages, some megabytes each
BRANCHES_KEPT = 4096  # logits of branches, some ten kilobytes each


@dataclass(frozen=True, slots=True)
class SupernetEvaluator:
    """Measures a genome with the weights that it shares with all others of its space.

    It carries the weights (a few hundred kilobytes), so other machines need no file; each process
    reads them, and the data set by name, once. What branches and stages put out is kept there: a
    combination of known branches costs additions. Equal evaluators give isomorphic genomes
    equal measurements in every process of one machine.

    weights: bytes of a file that `train_supernet` finished. The others are as in TrainingEvaluator.
    """

    weights: bytes = field(repr=False)
    dataset: str
    space: Space
    shape: NetworkShape
    validation: int
    training: int | None = None
    threads: int = 1
    framing: Framing = WHOLE

    @classmethod
    def read(
        cls,
        path: Path,
        dataset: str,
        space: Space,
        shape: NetworkShape,
        *,
        validation: int,
        training: int | None = None,
        threads: int = 1,
        framing: Framing = WHOLE,
    ) -> "SupernetEvaluator":
        """Read the weights. Raises ValueError naming the file when they are not finished, or others."""
        try:
            weights = path.read_bytes()
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None
        pictures, _ = search_pictures(dataset, shape.input, validation, training, framing)
        if "optimiser" in read_state(weights, path, described(space, shape, pictures)):
            raise ValueError(f"{path}: this supernet is not trained to its end")
        return cls(weights, dataset, space, shape, validation, training, threads, framing)

    def __call__(self, genome: Genome) -> Measurement:
        """Measure. Raises ValueError when the genome is not of the supernet's space."""
        if not self.space.contains(genome):
            raise ValueError(f"genome: {genome} is not in the space of the supernet")
        supernet = loaded(self)
        begun = time.perf_counter()
        branches = genome.branch_count
        subsets = [
            kept
            for missing in range(branches)
            for kept in combinations(range(branches), branches - missing)
        ]
        with torch_threads(self.threads):
            shares = supernet.accuracy(genome.canonical(), subsets)
        means = [
            float(
                np.mean([a for a, kept in zip(shares, subsets, strict=True) if len(kept) == left])
            )
            for left in range(branches, 0, -1)
        ]
        return Measurement(means[0], tuple(means[1:]), time.perf_counter() - begun)


class Output(NamedTuple):
    """The output of one stage of one branch, named by all that it depends on."""

    branch: int
    number: int
    stage: Stage
    width: int
    sources: "tuple[Output, ...]"


class Supernet:
    """A shared network on pictures to count statistics on and to validate on, and what it found out.

    All convolutions take the statistics pictures and the validation pictures together, the former
    first: they give the batch-norm statistics of this very genome. What a branch puts out depends
    on itself and on its sources alone, so it is kept under that name.
    """

    def __init__(
        self,
        weights: bytes,
        space: Space,
        shape: NetworkShape,
        pictures: Pictures,
        validation: Pictures,
    ) -> None:
        self.space, self.shape = space, shape
        self._network = seeded_shared_network(space, shape, 0)
        made_for = described(space, shape, pictures)
        self._network.load_state_dict(read_state(weights, Path("supernet"), made_for)["weights"])
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
        drawn = np.random.default_rng(0).permutation(len(pictures))[:STATISTICS_PICTURES]
        self._counted = len(drawn)
        pixels = np.concatenate([pictures.pixels[drawn], validation.pixels])
        x = self._network.normalise(torch.from_numpy(pixels))  # (statistics + N, C, H, W)
        self._x = x.contiguous(memory_format=torch.channels_last)
        self._labels = validation.labels
        self._bias = self._network.bias.detach().numpy()
        self._run = lru_cache(OUTPUTS_KEPT)(self._run_stage)
        self._logits = lru_cache(BRANCHES_KEPT)(self._run_head)

    def accuracy(self, genome: Genome, subsets: Sequence[Sequence[int]]) -> list[float]:
        """Accuracy of a canonical genome with these subsets of its branches, one or more each."""
        known = self.branch_logits(outputs_of(genome))
        silent = genome.branch_count  # the branch of zeros
        rows = [[*subset, *[silent] * (silent - len(subset))] for subset in subsets]
        return [float(share) for share in known.accuracy(np.array(rows))]

    def branch_logits(self, branches: Sequence[Output]) -> BranchLogits:
        """Partial logits of the branches that end in these outputs; behind them a branch of zeros.

        Only those run that were not run before.
        """
        with torch.inference_mode():
            logits = [self._logits(branch) for branch in branches]
        return BranchLogits(np.stack([*logits, np.zeros_like(logits[0])]), self._labels, self._bias)

    def _run_head(self, output: Output) -> Floats:
        """Partial logits of the validation pictures (N, classes)."""
        validation = self._run_stage(output)[self._counted :]
        logits: Floats = self._network.head(output.branch, validation).numpy()
        return logits

    def _run_stage(self, output: Output) -> Tensor:
        """Output of a stage on all pictures (statistics + N, C, H, W)."""
        return self._network.output(
            output.branch,
            output.stage,
            {str(source.branch): self._run(source) for source in output.sources}
            or {PICTURE: self._x},
            self.shape.channels[output.width][output.number],
            self._counted,
            number=output.number,
        )


def outputs_of(genome: Genome) -> tuple[Output, ...]:
    """Return the last output of every branch of a genome."""
    outputs: tuple[Output, ...] = ()
    for number in range(genome.stage_count):
        before = outputs
        outputs = tuple(
            Output(
                branch,
                number,
                genome.branches[branch][number],
                genome.width(branch),
                tuple(before[a] for a in genome.sources(branch, number)),
            )
            for branch in range(genome.branch_count)
        )
    return outputs


@lru_cache(maxsize=1)
def loaded(evaluator: SupernetEvaluator) -> Supernet:
    """Return an evaluator's supernet, made once per process."""
    of = evaluator
    pictures, validation = search_pictures(
        of.dataset, of.shape.input, of.validation, of.training, of.framing
    )
    return Supernet(of.weights, of.space, of.shape, pictures, validation)
