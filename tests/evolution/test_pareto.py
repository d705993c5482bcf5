"""The Pareto mode: fronts by brute force, and NSGA-II's survival on the engine's populations."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evolution.engine import GeneticAlgorithm, Individual, Settings
from evolution.genome import Genome, Space
from evolution.operators import GenomeOperators, tournament
from evolution.pareto import ParetoSurvival, front

vectors = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=25)


def dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def undominated(values: Sequence[Sequence[float]]) -> list[int]:
    return [
        index
        for index, value in enumerate(values)
        if not any(dominates(other, value) for other in values)
    ]


@given(vectors)
def test_the_front_is_the_one_that_brute_force_finds(values: list[tuple[int, ...]]) -> None:
    assert front(values) == undominated(values)


def test_nothing_has_no_front() -> None:
    assert front([]) == []


@given(vectors, st.integers(1, 10))
def test_survival_keeps_the_first_front_and_puts_it_first(
    values: list[tuple[int, ...]], population: int
) -> None:
    survival = ParetoSurvival[int](lambda genome: values[genome], lambda genome: genome)
    everybody = [Individual(genome, 0.0) for genome in range(len(values))]
    half = len(everybody) // 2
    settings = Settings(population=population)
    kept = [one.genome for one in survival(everybody[:half], everybody[half:], settings)]
    assert len(kept) == len(set(kept)) == min(population, len(values))
    first = undominated(values)
    if len(first) <= population:
        assert set(kept[: len(first)]) == set(first)
    else:
        assert set(kept) <= set(first)


def test_survival_keeps_the_ends_of_a_front_that_is_too_long() -> None:
    values = [(float(x), 100.0 - x) for x in range(20)]
    survival = ParetoSurvival[int](lambda genome: values[genome], lambda genome: genome)
    everybody = [Individual(genome, 0.0) for genome in range(20)]
    kept = {one.genome for one in survival([], everybody, Settings(population=5))}
    assert {0, 19} <= kept


def test_one_individual_of_a_network_survives() -> None:
    survival = ParetoSurvival[int](lambda genome: (genome % 3,), lambda genome: genome % 3)
    everybody = [Individual(genome, 0.0) for genome in range(9)]
    kept = survival(everybody[:3], everybody[3:], Settings(population=6))
    assert [one.genome for one in kept] == [0, 1, 2]


def test_the_tournament_prefers_those_that_stand_first() -> None:
    drawn = tournament([0.0] * 10, 10_000, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=10)
    assert list(counts) == sorted(counts, reverse=True)
    assert abs(counts[0] / 10_000 - 0.19) < 0.02  # 1 - (9/10)^2


def test_the_engine_finds_both_ends_of_a_front() -> None:
    def objectives(genome: Genome) -> tuple[float, float]:
        edges = str(genome).count("1")
        return -edges, edges

    def run() -> list[str]:
        algorithm = GeneticAlgorithm(
            GenomeOperators(Space((4, 4))),
            Settings(population=20, generations=25, q_m=0.2),
            3,
            selection=tournament,
            survival=ParetoSurvival(objectives, lambda genome: genome.canonical()),
        )
        while not algorithm.finished:
            algorithm.tell([0.0] * len(algorithm.ask()))
        return [str(individual.genome) for individual in algorithm.population]

    found = run()
    assert found == run()
    reached = [objectives(Genome.parse(text)) for text in found]
    assert min(few for _, few in reached) == 0
    assert min(many for many, _ in reached) == -12
