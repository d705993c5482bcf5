"""The genetic algorithm of both searches, as ask and tell: it decides, and never measures.

    ask() -> genotypes of this generation      (selected, crossed, mutated; the first ones random)
    tell(fitness)                              (one value each, higher is better; then ask again)

Source of the flow: Xie & Yuille, Genetic CNN, ICCV 2017 (arXiv 1703.01513), algorithm 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from evolution.operators import roulette

G = TypeVar("G")


class Operators(Protocol[G]):
    """What the engine needs to know about a genotype; every method is pure but for `rng`."""

    def random(self, rng: np.random.Generator) -> G:
        """Draw a genotype of the first generation."""
        ...

    def cross(self, first: G, second: G, rate: float, rng: np.random.Generator) -> tuple[G, G]:
        """Exchange each part with probability `rate` (q_c)."""
        ...

    def mutate(self, genome: G, rate: float, rng: np.random.Generator) -> G:
        """Change each element with probability `rate` (q_m)."""
        ...

    def to_json(self, genome: G) -> Any:
        """Write a genotype as plain data for `state`."""
        ...

    def from_json(self, value: Any) -> G:
        """Read it back; equal to the one that was written."""
        ...


@dataclass(frozen=True, slots=True)
class Individual(Generic[G]):
    """A genotype with its fitness (higher is better)."""

    genome: G
    fitness: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of the algorithm, with the paper's values for MNIST.

    `generations` counts those after the random one: population * (generations + 1) evaluations.
    `elitism` parents replace the worst children if they are better (the paper: none).
    """

    population: int = 20
    generations: int = 50
    p_m: float = 0.8
    q_m: float = 0.1
    p_c: float = 0.2
    q_c: float = 0.3
    elitism: int = 0

    def __post_init__(self) -> None:
        if self.population < 1:
            raise ValueError("population: needs at least one individual.")
        if self.generations < 0:
            raise ValueError("generations: is not negative.")
        for name in ("p_m", "q_m", "p_c", "q_c"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: a probability is between 0 and 1.")
        if not 0 <= self.elitism <= self.population:
            raise ValueError("elitism: is between 0 and the population.")


Selection = Callable[[Sequence[float], int, np.random.Generator], npt.NDArray[np.intp]]
Survival = Callable[
    [Sequence[Individual[Any]], Sequence[Individual[Any]], Settings], list[Individual[Any]]
]


def replacement(
    parents: Sequence[Individual[Any]], children: Sequence[Individual[Any]], settings: Settings
) -> list[Individual[Any]]:
    """Let the children replace all parents but the `elitism` best ones that beat the worst."""
    elite = sorted(parents, key=lambda parent: -parent.fitness)[: settings.elitism]
    survivors = list(children)
    for parent in elite:
        worst = min(range(len(survivors)), key=lambda i: survivors[i].fitness)
        if parent.fitness > survivors[worst].fitness:
            survivors[worst] = parent
    return survivors


class GeneticAlgorithm(Generic[G]):
    """One search: the same operators, settings, seed and fitness values give the same result.

    `first` are genotypes known to be good, put in front of the random ones of generation 0.
    """

    def __init__(
        self,
        operators: Operators[G],
        settings: Settings,
        seed: int = 0,
        *,
        first: Sequence[G] = (),
        selection: Selection = roulette,
        survival: Survival = replacement,
    ) -> None:
        self._operators = operators
        self._settings = settings
        self._selection = selection
        self._survival = survival
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._first = list(first)[: settings.population]
        self._asked: list[G] | None = None
        self._generation = 0
        self._population: list[Individual[G]] = []
        self._best: Individual[G] | None = None

    @property
    def generation(self) -> int:
        """Number of the generation to ask for or being evaluated; 0 is the random one."""
        return self._generation

    @property
    def finished(self) -> bool:
        """Whether all generations have been told; asking on is allowed."""
        return self._generation > self._settings.generations

    @property
    def population(self) -> list[Individual[G]]:
        """The survivors of the last generation told."""
        return list(self._population)

    @property
    def best(self) -> Individual[G]:
        """The best individual ever told, the earliest of equals; ValueError before the first."""
        if self._best is None:
            raise ValueError("best: no fitness has been told yet.")
        return self._best

    def ask(self) -> list[G]:
        """Return the genotypes to evaluate; the same ones until their fitness is told."""
        if self._asked is None:
            self._asked = self._children() if self._population else self._beginners()
        return list(self._asked)

    def tell(self, fitness: Sequence[float], improved: Sequence[G] | None = None) -> None:
        """Take one finite fitness for each genotype asked, in order.

        `improved` replaces these genotypes where evaluation repaired or refined them. Raises
        ValueError when nothing was asked, a number is missing, or a fitness is not finite.
        """
        if self._asked is None:
            raise ValueError("fitness: told without having asked.")
        genomes = self._asked if improved is None else list(improved)
        if not len(fitness) == len(genomes) == len(self._asked):
            raise ValueError(f"fitness: {len(self._asked)} were asked, {len(fitness)} told.")
        if not np.isfinite(np.asarray(fitness, dtype=np.float64)).all():
            raise ValueError("fitness: is a finite number.")
        children = [Individual(g, float(f)) for g, f in zip(genomes, fitness, strict=True)]
        for child in children:
            if self._best is None or child.fitness > self._best.fitness:
                self._best = child
        self._population = self._survival(self._population, children, self._settings)
        self._asked = None
        self._generation += 1

    def state(self) -> dict[str, Any]:
        """Return all that a later `restore` needs, as plain data that JSON can hold."""
        write = self._operators.to_json
        return {
            "generation": self._generation,
            "population": [[write(i.genome), i.fitness] for i in self._population],
            "best": [write(self._best.genome), self._best.fitness] if self._best else None,
            "asked": None if self._asked is None else [write(g) for g in self._asked],
            "random": self._rng.bit_generator.state,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state as if the run had never stopped, bit for bit."""
        read = self._operators.from_json
        try:
            population = [Individual(read(g), float(f)) for g, f in state["population"]]
            best = (
                Individual(read(state["best"][0]), float(state["best"][1]))
                if state["best"]
                else None
            )
            asked = None if state["asked"] is None else [read(g) for g in state["asked"]]
            generation = int(state["generation"])
            self._rng.bit_generator.state = state["random"]
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"state: is not one of this algorithm ({error!r}).") from error
        self._population, self._best = population, best
        self._asked, self._generation = asked, generation

    def _beginners(self) -> list[G]:
        missing = self._settings.population - len(self._first)
        return self._first + [self._operators.random(self._rng) for _ in range(missing)]

    def _children(self) -> list[G]:
        """Select, cross consecutive pairs with p_c, mutate with p_m those that did not cross."""
        settings, rng, operators = self._settings, self._rng, self._operators
        fitness = [individual.fitness for individual in self._population]
        drawn = self._selection(fitness, settings.population, rng)
        selected = [self._population[index].genome for index in drawn]
        children: list[G] = []
        for start in range(0, len(selected), 2):
            pair = selected[start : start + 2]
            if len(pair) == 2 and rng.random() < settings.p_c:
                children += operators.cross(pair[0], pair[1], settings.q_c, rng)
                continue
            for genome in pair:
                mutates = rng.random() < settings.p_m
                children.append(operators.mutate(genome, settings.q_m, rng) if mutates else genome)
        return children
