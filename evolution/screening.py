"""Looking before measuring: of several possible children, the one that promises most is measured.

Costs and penalties of a genome are known without measuring, and a line fitted through what has been
measured so far (ridge regression on the networks' traits) is a first guess at its accuracy. The idea
of pre-selecting offspring by a model: Emmerich, Giannakoglou & Naujoks, 2006
(doi:10.1109/TEVC.2005.859463); docs/search.md has what it is worth here.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from evolution.engine import Individual, Operators, Settings
from evolution.genome import Genome

Floats = npt.NDArray[np.float64]
T = TypeVar("T")
RIDGE = 3.0  # in units of measured networks: so many are needed before a trait is believed


class Screening:
    """Operators that draw several candidates for each child and keep the most promising.

    Networks that were measured before come last. `candidates`: how many are drawn. `known`: the part
    of the fitness that needs no measurement (penalties, so negative). `traits`: (T,) of a genome.
    """

    def __init__(
        self,
        operators: Operators[Genome],
        candidates: int,
        known: Callable[[Genome], float],
        traits: Callable[[Genome], Floats],
    ) -> None:
        if candidates < 1:
            raise ValueError("screening: at least one candidate is drawn for a child.")
        self._operators, self._candidates = operators, candidates
        self._known, self._traits = known, traits
        self._measured: dict[Genome, float] = {}  # canonical genome: fitness less what is known
        self._described: dict[Genome, tuple[Floats, float]] = {}  # canonical: traits, known
        self._slope: Floats | None = None
        self._centre: Floats | None = None

    def learn(self, genomes: Sequence[Genome], fitness: Sequence[float]) -> None:
        """Take what a generation measured and fit the line anew."""
        for genome, value in zip(genomes, fitness, strict=True):
            network = genome.canonical()
            self._measured[network] = value - self._description(network)[1]
        x = np.array([self._description(network)[0] for network in self._measured])  # (N, T)
        y = np.array(list(self._measured.values()))  # (N,)
        self._centre = x.mean(0)
        x = x - self._centre
        self._slope = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (y - y.mean()))

    def promise(self, genome: Genome) -> tuple[bool, float]:
        """Return what candidates are compared by: new networks first, then the expected fitness.

        The fitness is less a number that is the same for all genomes.
        """
        network = genome.canonical()
        traits, known = self._description(network)
        guess = 0.0
        if self._slope is not None and self._centre is not None:
            guess = float((traits - self._centre) @ self._slope)
        return network not in self._measured, known + guess

    def random(self, rng: np.random.Generator) -> Genome:
        """Draw one: the first generation is there to learn from, so it is not screened."""
        return self._operators.random(rng)

    def cross(
        self, first: Genome, second: Genome, rate: float, rng: np.random.Generator
    ) -> tuple[Genome, Genome]:
        """Cross several times and keep the pair whose better child promises most."""
        pairs = self._drawn(lambda: self._operators.cross(first, second, rate, rng))
        return max(pairs, key=lambda pair: max(map(self.promise, pair)))

    def mutate(self, genome: Genome, rate: float, rng: np.random.Generator) -> Genome:
        """Mutate several times and keep the most promising."""
        return max(self._drawn(lambda: self._operators.mutate(genome, rate, rng)), key=self.promise)

    def to_json(self, genome: Genome) -> Any:
        """Write a genotype as plain data."""
        return self._operators.to_json(genome)

    def from_json(self, value: Any) -> Genome:
        """Read it back."""
        return self._operators.from_json(value)

    def _drawn(self, draw: Callable[[], T]) -> list[T]:
        return [draw() for _ in range(self._candidates)]

    def _description(self, network: Genome) -> tuple[Floats, float]:
        if network not in self._described:
            self._described[network] = self._traits(network), self._known(network)
        return self._described[network]


def best_networks(
    parents: Sequence[Individual[Genome]],
    children: Sequence[Individual[Genome]],
    settings: Settings,
) -> list[Individual[Genome]]:
    """Keep the best of parents and children, each network once, best first."""
    distinct: dict[Genome, Individual[Genome]] = {}
    for individual in [*parents, *children]:
        distinct.setdefault(individual.genome.canonical(), individual)
    return sorted(distinct.values(), key=lambda i: -i.fitness)[: settings.population]
