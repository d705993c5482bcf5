import numpy as np
import pytest
from hypothesis import given

from evolution.genome import Genome, Space
from evolution.operators import GenomeOperators, flip, roulette, swap
from tests.evolution.strategies import rngs, spaces


def test_roulette_draws_in_proportion_to_the_distance_from_the_worst() -> None:
    drawn = roulette([0.90, 0.91, 0.93], 30_000, np.random.default_rng(0))
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    assert shares[0] == 0
    assert shares[1:] == pytest.approx([1 / 4, 3 / 4], abs=0.01)


def test_roulette_is_uniform_when_all_are_equal() -> None:
    drawn = roulette([0.5, 0.5, 0.5, 0.5], 40_000, np.random.default_rng(0))
    assert np.bincount(drawn) / len(drawn) == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize("fitness", [[], [1.0, float("nan")], [float("inf")]])
def test_roulette_refuses_what_it_cannot_weigh(fitness: list[float]) -> None:
    with pytest.raises(ValueError, match="fitness"):
        roulette(fitness, 1, np.random.default_rng(0))


@given(rngs)
def test_swap_exchanges_whole_positions(rng: np.random.Generator) -> None:
    first, second = swap("abcdef", "ABCDEF", 0.5, rng)
    assert "".join(first).lower() == "abcdef" == "".join(second).lower()
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_flip_rates() -> None:
    rng = np.random.default_rng(0)
    assert flip("0101", 0.0, rng) == "0101"
    assert flip("0101", 1.0, rng) == "1010"
    assert flip("0" * 20_000, 0.1, rng).count("1") == pytest.approx(2_000, rel=0.1)


@given(spaces(), rngs)
def test_operators_stay_in_the_space(space: Space, rng: np.random.Generator) -> None:
    operators = GenomeOperators(space)
    first, second = operators.random(rng), operators.random(rng)
    for genome in (*operators.cross(first, second, 0.5, rng), operators.mutate(first, 0.5, rng)):
        assert space.contains(genome)
        assert operators.from_json(operators.to_json(genome)) == genome


@given(spaces(), rngs)
def test_crossover_takes_each_stage_whole_from_one_parent(
    space: Space, rng: np.random.Generator
) -> None:
    operators = GenomeOperators(space)
    parents = operators.random(rng), operators.random(rng)
    children = operators.cross(*parents, 0.5, rng)
    for branch in range(space.branches):
        for stage in range(len(space.nodes)):
            before = [str(parent.branches[branch][stage]) for parent in parents]
            after = [str(child.branches[branch][stage]) for child in children]
            assert sorted(before) == sorted(after)


@given(spaces(), rngs)
def test_rates_of_nought_and_one(space: Space, rng: np.random.Generator) -> None:
    operators = GenomeOperators(space)
    first, second = operators.random(rng), operators.random(rng)
    assert operators.cross(first, second, 0.0, rng) == (first, second)
    assert operators.cross(first, second, 1.0, rng) == (second, first)
    assert operators.mutate(first, 0.0, rng) == first
    flipped = operators.mutate(first, 1.0, rng)
    pairs = zip(first.branches, flipped.branches, strict=True)
    assert all(
        a != b
        for before, after in pairs
        for one, two in zip(before, after, strict=True)
        for a, b in zip(one.bits, two.bits, strict=True)
    )


def test_absent_genes_count_as_zero() -> None:
    operators = GenomeOperators(Space((2, 2), branches=2, exchange=True, widths=2))
    genome = operators.mutate(Genome.parse("1|1 / 1|0"), 0.0, np.random.default_rng(0))
    assert genome == Genome.parse("1|1 / 1|0 ; widths 0,0 ; exchange 00")


def test_a_genome_of_another_space_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the space"):
        GenomeOperators(Space((3,))).mutate(Genome.parse("1"), 0.1, np.random.default_rng(0))
