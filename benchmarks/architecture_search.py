"""How many networks a search trains until it has one of the best: ours, the paper's, random, NSGA-II.

    python -m benchmarks.architecture_search [--seeds N] [--table FILE] [--json]

Replays searches on the ground truth (`benchmarks/ground_truth.csv`). A network is looked up as often
as a search likes and counts once, as a run that keeps its measurements pays for it once. Two goals:
accuracy alone, and the fitness of a search file with a complexity penalty.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.ground_truth import NODES, REPEATED, SHAPE, TABLE, best, networks, read
from evolution.cost import branch_macs, total_macs
from evolution.engine import GeneticAlgorithm, Settings
from evolution.fitness import Weights, fitness_of
from evolution.genome import Genome, Space, Stage
from evolution.operators import GenomeOperators, tournament
from evolution.screening import Screening, best_networks
from evolution.traits import traits

SPACE: Final = Space(NODES)
DENSE: Final = Genome((tuple(Stage.from_bits("1" * (k * (k - 1) // 2)) for k in NODES),))
TOP: Final = 0.01  # share of the networks that a search is to find one of
COMPLEXITY: Final = 0.02  # the weight in examples/search-mnist.yaml
OURS: Final = Settings(population=10, p_m=1.0, q_m=0.15, p_c=0.2)
CANDIDATES: Final = 16
PATIENCE: Final = 20_000  # individuals; a search that has not found one by then has failed


@dataclass(frozen=True, slots=True)
class Row:
    """A method on a goal: distinct networks until one of the top, quartiles over the seeds.

    `failed` searches count with all networks of the table.
    """

    goal: str
    method: str
    seeds: int
    quarter: float
    median: float
    three_quarters: float
    failed: int


class Landscape:
    """What a search is told of every network, and which of them it is to find.

    `known` is the part of each value that needs no training: minus the penalties. `truth` says
    which are the best, the values themselves by default; ties with the last of the top share are in.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        known: Mapping[str, float],
        truth: Mapping[str, float] | None = None,
    ) -> None:
        self.values, self.known = dict(values), dict(known)
        truth = truth or values
        best_first = sorted(truth.values(), reverse=True)
        threshold = best_first[max(1, round(TOP * len(values))) - 1]
        self.top = {name for name, value in truth.items() if value >= threshold}


def network(genome: Genome) -> str:
    """Return the name of a genome's network in the table."""
    return _name(genome.canonical())


def landscapes(table: Path) -> dict[str, Landscape]:
    """Read the goals from the table. A search is told what the first seed said, in each of them.

    For `accuracy, other seeds` the best are those of the 100 best with the first seed whose mean
    with the two other seeds is highest: what was luck with the first seed does not count.
    """
    rows = read(table)
    accuracy = {row.network: row.accuracy for row in rows if row.seed == 0}
    others: dict[str, list[float]] = {name: [] for name, _ in best(rows)}
    for row in rows:
        if row.seed and row.network in others:
            others[row.network].append(row.accuracy)
    weights = Weights(
        branch_budget=max(branch_macs(DENSE, SHAPE)),
        total_budget=total_macs(DENSE, SHAPE),
        complexity=COMPLEXITY,
    )
    known = {name: fitness_of(Genome.parse(name), 0, SHAPE, weights).total for name in accuracy}
    fitness = {name: value + known[name] for name, value in accuracy.items()}
    nothing = dict.fromkeys(accuracy, 0.0)
    goals = {"accuracy": Landscape(accuracy, nothing), "fitness": Landscape(fitness, known)}
    if all(others.values()):
        means = {name: mean(values) for name, values in others.items()}
        goals["accuracy, other seeds"] = Landscape(accuracy, nothing, means)
    return goals


def until_found(names: Iterator[str], landscape: Landscape) -> int | None:
    """Return how many distinct networks were looked at until one of the top, None when never."""
    seen: set[str] = set()
    for count, name in enumerate(names):
        seen.add(name)
        if name in landscape.top:
            return len(seen)
        if count >= PATIENCE or len(seen) == len(landscape.values):
            break
    return None


def paper(seed: int, landscape: Landscape) -> Iterator[str]:
    """Genetic-CNN to the letter, with the paper's numbers."""
    algorithm = GeneticAlgorithm(GenomeOperators(SPACE), Settings(), seed)
    while True:
        names = [network(genome) for genome in algorithm.ask()]
        yield from names
        algorithm.tell([landscape.values[name] for name in names])


def ours(seed: int, landscape: Landscape) -> Iterator[str]:
    """Our genetic algorithm with screening, as `screening: 16` in a search file makes it."""
    operators = Screening(
        GenomeOperators(SPACE),
        CANDIDATES,
        lambda genome: landscape.known[network(genome)],
        described,
    )
    algorithm = GeneticAlgorithm(
        operators, OURS, seed, selection=tournament, survival=best_networks
    )
    while True:
        genomes = algorithm.ask()
        names = [network(genome) for genome in genomes]
        yield from names
        fitness = [landscape.values[name] for name in names]
        operators.learn(genomes, fitness)
        algorithm.tell(fitness)


def at_random(seed: int, landscape: Landscape) -> Iterator[str]:
    """Draw distinct networks uniformly."""
    names = sorted(landscape.values)
    yield from (names[i] for i in np.random.default_rng(seed).permutation(len(names)))


def nsga2(seed: int, landscape: Landscape) -> Iterator[str]:
    """Run NSGA-II as pymoo brings it, on the bits: the goal and the MACs, population 20."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.pntx import TwoPointCrossover
    from pymoo.operators.mutation.bitflip import BitflipMutation
    from pymoo.operators.sampling.rnd import BinaryRandomSampling

    algorithm = NSGA2(
        pop_size=20,
        sampling=BinaryRandomSampling(),
        crossover=TwoPointCrossover(),
        mutation=BitflipMutation(),
        eliminate_duplicates=True,
    )
    problem = Problem(n_var=SPACE.bit_count, n_obj=2, xl=0, xu=1, vtype=bool)
    algorithm.setup(problem, seed=seed, termination=("n_eval", PATIENCE))
    while algorithm.has_next():
        population = algorithm.ask()
        if population is None or not len(population):
            return
        genomes = [_decoded(bits) for bits in population.get("X")]
        names = [network(genome) for genome in genomes]
        yield from names
        losses = [-landscape.values[name] for name in names]
        macs = [total_macs(genome, SHAPE) for genome in genomes]
        population.set("F", np.column_stack([losses, macs]))
        algorithm.tell(infills=population)


def _decoded(bits: Any) -> Genome:
    """Bits (13,) -> genome."""
    text = "".join("01"[int(bit)] for bit in bits)
    stages, start = [], 0
    for k in NODES:
        size = k * (k - 1) // 2
        stages.append(Stage.from_bits(text[start : start + size]))
        start += size
    return Genome((tuple(stages),))


@cache
def _name(network: Genome) -> str:
    return str(network)


@cache
def described(network: Genome) -> npt.NDArray[np.float64]:
    """Return the traits of a network."""
    return traits(network, SHAPE)


METHODS: Final[Mapping[str, Callable[[int, Landscape], Iterator[str]]]] = {
    "ours": ours,
    "Genetic-CNN (paper)": paper,
    "random": at_random,
    "NSGA-II (pymoo)": nsga2,
}


def measure(goal: str, landscape: Landscape, method: str, seeds: int) -> Row:
    """Run a method with every seed."""
    found = [until_found(METHODS[method](seed, landscape), landscape) for seed in range(seeds)]
    counts = [len(landscape.values) if count is None else count for count in found]
    quarter, median, three_quarters = np.quantile(counts, (0.25, 0.5, 0.75)).tolist()
    return Row(goal, method, seeds, quarter, median, three_quarters, found.count(None))


def noise(table: Path) -> dict[str, float]:
    """Return how much of the spread between networks a seed explains away, from the repeated ones.

    `reliability` is the share of one seed's variance that is the networks' own: the most that any
    guess squared can correlate with it.
    """
    rows = read(table)
    repeated = np.array(  # (R, seeds)
        [[row.accuracy for row in rows if row.network == name] for name in networks()[:REPEATED]]
    )
    within = float(repeated.var(axis=1, ddof=1).mean())
    between = max(0.0, float(repeated.mean(axis=1).var(ddof=1)) - within / repeated.shape[1])
    return {
        "networks": sum(row.seed == 0 for row in rows),
        "repeated": len(repeated),
        "mean": float(np.mean([row.accuracy for row in rows if row.seed == 0])),
        "best": max(row.accuracy for row in rows if row.seed == 0),
        "sd_of_a_seed": within**0.5,
        "sd_between_networks": between**0.5,
        "reliability": between / (between + within),
    }


def main() -> None:
    """Print the noise of the table, where the dense network stands, and a row a method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    goals = landscapes(arguments.table)
    dense = {
        goal: 1 + sum(value > land.values[network(DENSE)] for value in land.values.values())
        for goal, land in goals.items()
    }
    rows = [
        measure(goal, landscape, method, arguments.seeds)
        for goal, landscape in goals.items()
        for method in METHODS
    ]
    report = {
        "table": noise(arguments.table),
        "top": {goal: len(landscape.top) for goal, landscape in goals.items()},
        "rank_of_dense": dense,
        "rows": [asdict(row) for row in rows],
    }
    if arguments.json:
        print(json.dumps(report))
        return
    for name in ("table", "top", "rank_of_dense"):
        print(name, report[name])
    print("| goal | method | median | quartiles | failed |\n|---|---|---|---|---|")
    for row in rows:
        quartiles = f"{row.quarter:.0f} - {row.three_quarters:.0f}"
        print(f"| {row.goal} | {row.method} | {row.median:.0f} | {quartiles} | {row.failed} |")


if __name__ == "__main__":
    main()
