"""Screening: costs are known before measuring, and a line through what was measured guesses the rest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution.cost import NetworkShape, total_macs
from evolution.engine import GeneticAlgorithm, Individual, Settings
from evolution.genome import Genome, Space
from evolution.operators import GenomeOperators, tournament
from evolution.screening import Screening, best_networks
from evolution.traits import Floats, traits

SPACE = Space((3, 4), branches=2, exchange=True)
SHAPE = NetworkShape(classes=10, input=(1, 16, 16), channels=((4, 8),))


def described(genome: Genome) -> Floats:
    return traits(genome, SHAPE)


def screening(candidates: int, weight: float = 0.0) -> Screening:
    def known(genome: Genome) -> float:
        return -weight * total_macs(genome, SHAPE)

    return Screening(GenomeOperators(SPACE), candidates, known, described)


@given(seed=st.integers(0, 1000))
def test_isomorphic_genomes_have_equal_traits(seed: int) -> None:
    genome = SPACE.random(np.random.default_rng(seed))
    assert described(genome).tolist() == described(genome.canonical()).tolist()


@given(seed=st.integers(0, 1000))
def test_one_candidate_is_the_plain_operators(seed: int) -> None:
    plain, screened = GenomeOperators(SPACE), screening(1)
    one, other = (np.random.default_rng(seed) for _ in range(2))
    first, second = plain.random(one), plain.random(one)
    assert (first, second) == (screened.random(other), screened.random(other))
    assert plain.mutate(first, 0.1, one) == screened.mutate(first, 0.1, other)
    assert plain.cross(first, second, 0.5, one) == screened.cross(first, second, 0.5, other)


def children(screened: Screening, rng: np.random.Generator) -> list[Genome]:
    return [screened.mutate(SPACE.random(rng), 0.3, rng) for _ in range(40)]


def test_what_is_known_decides_before_anything_is_measured() -> None:
    rng = np.random.default_rng(0)
    light = [total_macs(genome, SHAPE) for genome in children(screening(16, weight=1), rng)]
    plain = [total_macs(genome, SHAPE) for genome in children(screening(1), rng)]
    assert np.mean(light) < np.mean(plain)


def test_a_trait_that_was_seen_to_matter_is_looked_for() -> None:
    def accuracy(genome: Genome) -> float:
        return float(described(genome)[4]) / 10  # the depth of the first stage

    rng = np.random.default_rng(1)
    screened = screening(16)
    genomes = [SPACE.random(rng) for _ in range(60)]
    before = np.mean([accuracy(genome) for genome in genomes])
    screened.learn(genomes, [accuracy(genome) for genome in genomes])
    assert np.mean([accuracy(genome) for genome in children(screened, rng)]) > before


def test_networks_that_were_measured_come_last() -> None:
    screened = screening(1)
    rng = np.random.default_rng(2)
    old, new = SPACE.random(rng), SPACE.random(rng)
    screened.learn([old], [1.0])
    assert screened.promise(new) > screened.promise(old)


def test_at_least_one_candidate() -> None:
    with pytest.raises(ValueError, match="screening"):
        screening(0)


def test_the_best_survive_each_network_once() -> None:
    rng = np.random.default_rng(3)
    parents = [Individual(SPACE.random(rng), fitness) for fitness in (0.1, 0.9)]
    twin = Individual(parents[1].genome.canonical(), 0.9)
    better = Individual(SPACE.random(rng), 0.95)
    kept = best_networks(parents, [twin, better], Settings(population=2))
    assert kept == [better, parents[1]]


def test_the_engine_takes_it_as_operators_and_needs_fewer_measurements() -> None:
    def lightest(candidates: int) -> float:
        screened = screening(candidates, weight=1e-6)
        algorithm = GeneticAlgorithm(
            screened,
            Settings(population=6, generations=4),
            selection=tournament,
            survival=best_networks,
        )
        while not algorithm.finished:
            asked = algorithm.ask()
            fitness = [1 - 1e-6 * total_macs(genome, SHAPE) for genome in asked]
            screened.learn(asked, fitness)
            algorithm.tell(fitness)
        return algorithm.best.fitness

    assert lightest(8) > lightest(1)
