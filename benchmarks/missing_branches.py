"""What branches that can be missing cost: Fashion-MNIST, four branches against one of the same MACs.

    python -m benchmarks.missing_branches [--seeds N] [--processes N] [--out FILE] [--json]

Both networks are trained alike on all 60,000 pictures and measured on the 10,000 test pictures,
which nothing else has seen. Begun again, it goes on where it was ended. The averages over failures
follow Yousefpour et al., Guardians of the Deep Fog, 2019 (arXiv 1909.00995): every subset of failed
devices, weighted by its probability.
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from typing import Final

import psutil
import torch

from evolution.cost import NetworkShape, branch_macs, total_macs
from evolution.genome import Genome
from models.evaluator import seeded_network
from models.training import Schedule, accuracy_by_missing, train
from pictures.dataset import load

TRAINING: Final = Schedule(
    phases=((12, 0.004),),
    curve="one-cycle",
    batch=128,
    weight_decay=0.02,
    shift=2,
    mirror=True,
    bfloat16=True,
)
PICTURE: Final = (1, 28, 28)
NETWORKS: Final = {
    "four branches": (
        " / ".join(["0|1|1"] * 4),
        NetworkShape(10, PICTURE, ((16, 16, 32),)),
    ),
    "one branch": ("0|1|1", NetworkShape(10, PICTURE, ((32, 32, 64),))),
}
SURVIVAL: Final = ((1.0, 1.0), (0.98, 0.96), (0.95, 0.90), (0.85, 0.80))
"""Probabilities that a device survives, the first half of the four and the second."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One training: accuracy on the test pictures by branches missing, from none; CPU seconds."""

    network: str
    seed: int
    accuracy: tuple[float, ...]
    seconds: float


def measure(network: str, seed: int) -> Trained:
    """Train one network with one thread."""
    torch.set_num_threads(1)
    text, shape = NETWORKS[network]
    dataset = load("fashion")
    begun = time.process_time()
    model = seeded_network(Genome.parse(text), shape, seed)
    train(model, dataset.train, replace(TRAINING, seed=seed))
    accuracy = accuracy_by_missing(model, dataset.test)
    return Trained(network, seed, accuracy, round(time.process_time() - begun, 1))


def expected(accuracy: tuple[float, ...], survival: tuple[float, float], chance: float) -> float:
    """Return the mean accuracy over all subsets of failed devices, one branch on each device.

    accuracy: by branches missing, from none. With no branch left the answer is a guess.
    """
    branches = len(accuracy)
    alive = [survival[branch * 2 // branches] for branch in range(branches)]
    total = 0.0
    for missing in range(branches + 1):
        for failed in combinations(range(branches), missing):
            probability = 1.0
            for branch, p in enumerate(alive):
                probability *= 1 - p if branch in failed else p
            total += probability * (accuracy[missing] if missing < branches else chance)
    return total


def measured(wanted: list[tuple[str, int]], processes: int) -> Iterator[Trained]:
    """Yield the trainings as they are done."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for future in as_completed([pool.submit(measure, *item) for item in wanted]):
            yield future.result()


def kept(path: Path) -> list[Trained]:
    """Return the trainings of an earlier start, those that a kill tore left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            entry = json.loads(line)
            found.append(Trained(**{**entry, "accuracy": tuple(entry["accuracy"])}))
    return found


def summary(trained: list[Trained]) -> dict[str, object]:
    """Return means and standard deviations over the seeds, and what the networks cost."""
    rows: dict[str, object] = {}
    for name, (text, shape) in NETWORKS.items():
        runs = [run.accuracy for run in trained if run.network == name]
        if not runs:
            continue
        genome = Genome.parse(text)
        by_missing = list(zip(*runs, strict=True))
        rows[name] = {
            "macs": total_macs(genome, shape),
            "heaviest_share": max(branch_macs(genome, shape)) / total_macs(genome, shape),
            "seeds": len(runs),
            "accuracy": [mean(values) for values in by_missing],
            "spread": [stdev(values) if len(values) > 1 else 0.0 for values in by_missing],
            "expected": [
                mean(expected(run, survival, 1 / shape.classes) for run in runs)
                for survival in SURVIVAL
            ],
            "cpu_seconds": mean(run.seconds for run in trained if run.network == name),
        }
    return rows


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=psutil.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("missing-branches.jsonl"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    trained = kept(arguments.out)
    done = {(run.network, run.seed) for run in trained}
    wanted = [(name, seed) for seed in range(arguments.seeds) for name in NETWORKS]
    with arguments.out.open("w", encoding="utf-8") as file:
        for run in trained:
            file.write(json.dumps(asdict(run)) + "\n")
        for run in measured([item for item in wanted if item not in done], arguments.processes):
            trained.append(run)
            file.write(json.dumps(asdict(run)) + "\n")
            file.flush()
    rows = summary(trained)
    if arguments.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        print(name, json.dumps(row, indent=2))


if __name__ == "__main__":
    main()
