"""How well shared weights rank networks: Kendall's tau against the ground truth, beside plain costs.

    python -m benchmarks.supernet [--networks N] [--epochs N] [--seeds N] [--json]

Trains a supernet of the paper's space on the pictures of `benchmarks.ground_truth` and asks it about
random networks of the table. CPU seconds of both are counted, the supernet's training included.
"""

import argparse
import json
import random
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Final

import numpy as np
import torch
from scipy.stats import kendalltau

from benchmarks.ground_truth import NODES, REPEATED, SHAPE, TABLE, Row, networks, read
from evolution.genome import Genome, Space
from models.supernet import train_supernet
from models.supernet_evaluator import Supernet
from models.training import Schedule
from pictures.dataset import load

SPACE: Final = Space(NODES)
TRAINING: Final = Schedule(phases=((12, 0.005),), curve="one-cycle", batch=32)


@dataclass(frozen=True, slots=True)
class Supernets:
    """What one supernet said of the networks, and the CPU seconds it took."""

    accuracy: dict[str, float]
    training_s: float
    measuring_s: float


def asked(names: list[str], seed: int, epochs: int) -> Supernets:
    """Train a supernet with one thread and measure networks with it."""
    dataset = load("mnist", SHAPE.input)
    peak = TRAINING.phases[0][1]
    schedule = replace(TRAINING, phases=((epochs, peak),), seed=seed)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "supernet.pt"
        train_supernet(SPACE, SHAPE, dataset.train, schedule, path)
        weights = path.read_bytes()
    trained = time.process_time()
    supernet = Supernet(weights, SPACE, SHAPE, dataset.train, dataset.test)
    accuracy = {name: supernet.accuracy(Genome.parse(name), [[0]])[0] for name in names}
    return Supernets(accuracy, trained - begun, time.process_time() - trained)


def tau(first: dict[str, float], second: dict[str, float]) -> float:
    """Return Kendall's tau-b over the networks that both know."""
    both = sorted(first.keys() & second.keys())
    return float(kendalltau([first[name] for name in both], [second[name] for name in both])[0])


def report(rows: list[Row], count: int, epochs: int, seeds: int) -> dict[str, object]:
    """Compare; `count` random networks by one seed of truth, the repeated ones by the mean of theirs."""
    truth = {row.network: row.accuracy for row in rows if row.seed == 0}
    repeated = {
        name: [row.accuracy for row in rows if row.network == name]
        for name in networks()[:REPEATED]
    }
    means = {name: mean(values) for name, values in repeated.items()}
    names = random.Random(1).sample(sorted(truth), count)
    chosen = {name: truth[name] for name in names}
    found = [asked(sorted({*names, *means}), seed, epochs) for seed in range(seeds)]
    costs = {
        "macs": {row.network: float(row.macs) for row in rows},
        "parameters": {row.network: float(row.parameters) for row in rows},
    }
    all_of_it = len(networks())
    measured = len({*names, *means})
    per_network = [run.training_s / all_of_it + run.measuring_s / measured for run in found]
    seconds = mean(row.seconds for row in rows if row.seed == 0)
    by_seed = np.array(list(repeated.values()))  # (REPEATED, seeds)
    pairs = [(a, b) for a in range(by_seed.shape[1]) for b in range(a)]
    return {
        "networks": count,
        "epochs": epochs,
        "tau": [tau(chosen, run.accuracy) for run in found],
        "tau_of_macs": tau(chosen, costs["macs"]),
        "tau_of_parameters": tau(chosen, costs["parameters"]),
        "tau_means": [tau(means, run.accuracy) for run in found],
        "tau_means_of_macs": tau(means, costs["macs"]),
        "tau_means_of_parameters": tau(means, costs["parameters"]),
        "tau_between_seeds": [float(kendalltau(by_seed[:, a], by_seed[:, b])[0]) for a, b in pairs],
        "cpu_seconds_per_network": per_network,
        "cpu_seconds_of_truth": seconds,
        "times_cheaper": [seconds / each for each in per_network],
    }


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=TRAINING.epochs)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = report(read(arguments.table), arguments.networks, arguments.epochs, arguments.seeds)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(name, value)


if __name__ == "__main__":
    main()
