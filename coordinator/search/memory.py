"""How much memory a search takes, from the sizes alone, and how much there is."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from evolution.cost import FLOAT_BYTES, NetworkShape, parameters
from evolution.genome import Genome
from models.supernet_evaluator import OUTPUTS_KEPT, STATISTICS_PICTURES
from models.training.accuracy import PICTURES_AT_ONCE

if TYPE_CHECKING:
    from coordinator.search.config import SearchConfig

PROCESS_BYTES: Final = 300_000_000
"""Of a process that has torch loaded and trains nothing yet, without what it shares with others."""
_WEIGHT_COPIES: Final = 4  # with the gradient and the optimiser's two moments
_KEPT: Final = 3.3
"""Times the output of a convolution that training takes for it, with batch norm and gradients: measured
3.1 to 3.3 where it was most of the memory (docs/search.md)."""
_CGROUP: Final = Path("/sys/fs/cgroup")


def check_memory(config: "SearchConfig", shape: NetworkShape, data_bytes: int = 0) -> None:
    """Refuse a search that would not fit into this machine; ``data_bytes`` is what the pictures take.

    Raises:
        ValueError: it would not; the sentence has both numbers, and what fits if anything does.
    """
    if config.evaluator == "table":
        return
    if config.evaluator == "supernet":
        check_training(config.dense(), shape, config.supernet.batch, "supernet.batch", data_bytes)
    free = available_bytes()
    processes = config.workers or psutil.cpu_count() or 1
    each = evaluator_bytes(config, shape) + data_bytes
    if each * processes > free:
        fitting = int(free // each)
        would = f"workers: {fitting} would do" if fitting else "a smaller one is needed"
        raise ValueError(
            f"workers, {config.evaluator}.batch, space, network: {processes} processes of up to "
            f"{_gb(each)} each, and {_gb(free)} are free; {would}"
        )


def check_training(
    genome: Genome, shape: NetworkShape, batch: int, named: str, data_bytes: int = 0
) -> None:
    """Refuse to train a network that would not fit into this machine; ``named`` is the field of the batch.

    Raises:
        ValueError: it would not; the sentence has both numbers.
    """
    takes, free = training_bytes(genome, shape, batch) + data_bytes, available_bytes()
    if takes > free:
        raise ValueError(
            f"{named}, network.channels: batches of {batch:,} pictures take {_gb(takes)} to train on, "
            f"and {_gb(free)} are free; a smaller batch takes less"
        )


def evaluator_bytes(config: "SearchConfig", shape: NetworkShape) -> int:
    """Return what a process takes that measures the largest network of the space."""
    dense = config.dense()
    if config.evaluator == "supernet":
        return _supernet_bytes(config, dense, shape)
    return max(
        training_bytes(dense, shape, min(config.training.batch, config.pictures or 10**9)),
        measuring_bytes(dense, shape, min(config.most_validating, PICTURES_AT_ONCE)),
    )


def training_bytes(genome: Genome, shape: NetworkShape, batch: int) -> int:
    """Return what a process takes that trains a network, at the peak."""
    outputs = sum(_convolutions(genome, shape).values())
    kept = int(_KEPT * batch * outputs * FLOAT_BYTES)
    return PROCESS_BYTES + _WEIGHT_COPIES * FLOAT_BYTES * parameters(genome, shape) + kept


def measuring_bytes(genome: Genome, shape: NetworkShape, pictures: int) -> int:
    """Return what a process takes that runs so many pictures through a network at once."""
    largest = max(_one_output(genome, shape).values())
    pooled = sum(size // 4 for size in _one_output(genome, shape).values())
    weights = 2 * FLOAT_BYTES * parameters(genome, shape)
    return PROCESS_BYTES + weights + pictures * (2 * largest + pooled) * FLOAT_BYTES


def _supernet_bytes(config: "SearchConfig", dense: Genome, shape: NetworkShape) -> int:
    """All pictures go through a stage at once, and what the last stages put out is kept."""
    pictures = STATISTICS_PICTURES + config.most_validating
    outputs = sorted(_one_output(dense, shape).values(), reverse=True)
    held = 3 * outputs[0] + sum(size // 4 for size in outputs[:OUTPUTS_KEPT])
    return PROCESS_BYTES + pictures * held * FLOAT_BYTES


def _one_output(genome: Genome, shape: NetworkShape) -> dict[tuple[int, int], int]:
    """Return how many numbers a convolution of each (branch, stage) puts out for a picture."""
    sizes = {}
    for branch in range(genome.branch_count):
        for stage, channels in enumerate(shape.channels[genome.width(branch)]):
            height, width = shape.size(stage)
            sizes[branch, stage] = channels * height * width
    return sizes


def _convolutions(genome: Genome, shape: NetworkShape) -> dict[tuple[int, int], int]:
    """Return how many numbers all convolutions of each (branch, stage) put out for a picture."""
    return {
        (branch, stage): one * (1 if code.is_empty else len(code.active) + 2)
        for (branch, stage), one in _one_output(genome, shape).items()
        for code in [genome.branches[branch][stage]]
    }


def available_bytes() -> int:
    """Return the memory that processes can take now, by this machine and by the limits of its container."""
    free = psutil.virtual_memory().available
    for limit, used, stat, cached in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file"),
    ):
        folder = _CGROUP if limit == "memory.max" else _CGROUP / "memory"
        with contextlib.suppress(OSError, ValueError, StopIteration):
            most, taken = (
                int((folder / name).read_text(encoding="ascii")) for name in (limit, used)
            )
            lines = (folder / stat).read_text(encoding="ascii").splitlines()
            files = next(int(line.split()[1]) for line in lines if line.startswith(f"{cached} "))
            free = min(free, most - taken + files)
    return max(free, 0)


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
