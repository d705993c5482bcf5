"""The ground truth of the search: every distinct network of the paper's 13-bit space, trained.

    python -m benchmarks.ground_truth [--out FILE] [--processes N]

Trains the 1,812 networks of two stages of 3 and 5 nodes on 4,000 MNIST digits and measures them on
the 1,000 that `load("mnist")` sets apart; 100 of them at random, and the 100 best, with two more
seeds. Begun again, it goes on where it was ended. Source of the space: Xie & Yuille, Genetic CNN, ICCV 2017 (arXiv 1703.01513).
"""

import argparse
import csv
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, astuple, dataclass, fields, replace
from functools import lru_cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import psutil
import torch
from rich.progress import track

from evolution.cost import NetworkShape, parameters, total_macs
from evolution.genome import Genome, Stage
from models.evaluator import seeded_network
from models.training import Schedule, accuracy_by_missing, train
from pictures.dataset import Dataset, load

TABLE: Final = Path(__file__).with_suffix(".csv")
NODES: Final = (3, 5)
SHAPE: Final = NetworkShape(classes=10, input=(1, 14, 14), channels=((8, 16),))
TRAINING: Final = Schedule(phases=((3, 0.02),), curve="one-cycle", batch=128)
REPEATED: Final = 100  # networks at random, and as many of the best, with SEEDS seeds
SEEDS: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One training: canonical genome, seed, accuracy on the 1,000, costs, and CPU seconds."""

    network: str
    seed: int
    accuracy: float
    macs: int
    parameters: int
    seconds: float


def networks() -> list[str]:
    """List every distinct network of the space by its canonical genome, in a fixed random order."""
    codes = [
        {Stage.from_bits("".join(bits)).canonical() for bits in product("01", repeat=size)}
        for size in (nodes * (nodes - 1) // 2 for nodes in NODES)
    ]
    texts = sorted(str(Genome((stages,))) for stages in product(*codes))
    random.Random(0).shuffle(texts)
    return texts


def wanted() -> list[tuple[str, int]]:
    """List all trainings: the repeated networks first, so that an early end is of use too."""
    texts = networks()
    repeated = [(text, seed) for text in texts[:REPEATED] for seed in range(SEEDS)]
    return repeated + [(text, 0) for text in texts[REPEATED:]]


def best(rows: list[Row]) -> list[tuple[str, int]]:
    """List the trainings with further seeds of the networks that came out best with the first."""
    first = sorted((row for row in rows if row.seed == 0), key=lambda row: -row.accuracy)
    return [(row.network, seed) for row in first[:REPEATED] for seed in range(1, SEEDS)]


def measure(network: str, seed: int) -> Row:
    """Train one network with one thread, and measure it."""
    torch.set_num_threads(1)
    dataset = _mnist()
    genome = Genome.parse(network)
    begun = time.process_time()
    model = seeded_network(genome, SHAPE, seed)
    train(model, dataset.train, replace(TRAINING, seed=seed))
    accuracy = accuracy_by_missing(model, dataset.test)[0]
    seconds = round(time.process_time() - begun, 3)
    macs, weights = total_macs(genome, SHAPE), parameters(genome, SHAPE)
    return Row(network, seed, accuracy, macs, weights, seconds)


def read(path: Path = TABLE) -> list[Row]:
    """Return the rows of a table, those that a kill tore left out."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.reader(file) if len(line) == len(fields(Row)) and all(line)]
    return [
        Row(network, int(seed), float(accuracy), int(macs), int(weights), float(seconds))
        for network, seed, accuracy, macs, weights, seconds in lines[1:]
    ]


def write(rows: list[Row], path: Path) -> None:
    """Write a table whole, in the order of the networks and seeds."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        table.writeheader()
        table.writerows(
            asdict(row) for row in sorted(rows, key=lambda row: (row.network, row.seed))
        )
    part.replace(path)


def measured(missing: list[tuple[str, int]], processes: int) -> Iterator[Row]:
    """Yield the trainings as they are done."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for future in as_completed([pool.submit(measure, *item) for item in missing]):
            yield future.result()


@lru_cache(maxsize=1)
def _mnist() -> Dataset:
    return load("mnist", SHAPE.input)


def main() -> None:
    """Train what is missing, keeping every row at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--processes", type=int, default=psutil.cpu_count() or 1)
    arguments = parser.parse_args()
    rows = read(arguments.out) if arguments.out.exists() else []
    write(rows, arguments.out)
    with arguments.out.open("a", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        for choose in (lambda _: wanted(), best):
            done = {(row.network, row.seed) for row in rows}
            missing = [item for item in choose(rows) if item not in done]
            for row in track(measured(missing, arguments.processes), total=len(missing)):
                rows.append(row)
                table.writerow(astuple(row))
                file.flush()
    write(rows, arguments.out)


if __name__ == "__main__":
    main()
