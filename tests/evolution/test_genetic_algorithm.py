import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution.engine import GeneticAlgorithm, Individual, Settings
from evolution.genome import Genome, Space
from evolution.operators import GenomeOperators

SPACE = Space((3, 5), branches=2, exchange=True, widths=2)


def ones(genome: Genome) -> float:
    return float(str(genome).count("1"))


def algorithm(seed: int = 0, **settings: Any) -> GeneticAlgorithm[Genome]:
    return GeneticAlgorithm(GenomeOperators(SPACE), Settings(**settings), seed)


def run(search: GeneticAlgorithm[Genome]) -> list[list[str]]:
    asked = []
    while not search.finished:
        genomes = search.ask()
        asked.append([str(genome) for genome in genomes])
        search.tell([ones(genome) for genome in genomes])
    return asked


def test_the_paper_evaluates_1020_individuals() -> None:
    search = algorithm()
    assert sum(map(len, run(search))) == 1020
    assert search.generation == 51


def test_the_search_finds_better_genomes_than_its_first() -> None:
    search = algorithm()
    search.tell([ones(genome) for genome in search.ask()])
    first = search.best.fitness
    run(search)
    assert search.best.fitness > first
    assert search.best.fitness == ones(search.best.genome)


def test_same_seed_same_result() -> None:
    assert run(algorithm(7, generations=5)) == run(algorithm(7, generations=5))
    assert run(algorithm(7, generations=5)) != run(algorithm(8, generations=5))


@given(st.integers(0, 6), st.booleans())
def test_a_resumed_search_is_the_uninterrupted_one(stop: int, asked_before: bool) -> None:
    whole = run(algorithm(3, generations=6, population=6))
    first = algorithm(3, generations=6, population=6)
    for _ in range(stop):
        first.tell([ones(genome) for genome in first.ask()])
    if asked_before:
        first.ask()
    state = json.loads(json.dumps(first.state()))
    second = algorithm(99, generations=6, population=6)
    second.restore(state)
    assert second.state() == first.state()
    assert run(second) == whole[stop:]


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        algorithm().restore({"generation": 3})


def test_asking_twice_gives_the_same_genomes() -> None:
    search = algorithm()
    assert search.ask() == search.ask()


class Traced:
    """Genotypes are words that tell what was done to them; chance and rates play no part."""

    def random(self, *_: object) -> str:
        return "r"

    def cross(self, *_: object) -> tuple[str, str]:
        return "crossed", "crossed"

    def mutate(self, *_: object) -> str:
        return "mutated"

    def to_json(self, genome: str) -> str:
        return genome

    def from_json(self, value: str) -> str:
        return value


def second_generation(population: int, **settings: Any) -> list[str]:
    search = GeneticAlgorithm(Traced(), Settings(population=population, **settings), 0)
    search.tell([1.0] * len(search.ask()))
    return search.ask()


def test_only_individuals_that_did_not_cross_mutate() -> None:
    assert second_generation(4, p_c=1.0, p_m=1.0) == ["crossed"] * 4
    assert second_generation(4, p_c=0.0, p_m=1.0) == ["mutated"] * 4
    assert second_generation(4, p_c=0.0, p_m=0.0) == ["r"] * 4


def test_an_odd_one_out_cannot_cross() -> None:
    assert second_generation(3, p_c=1.0, p_m=1.0) == ["crossed", "crossed", "mutated"]


def test_rates_are_met() -> None:
    children = second_generation(20_000, p_c=0.2, p_m=0.8)
    assert children.count("crossed") / 20_000 == pytest.approx(0.2, abs=0.02)
    assert children.count("mutated") / 20_000 == pytest.approx(0.64, abs=0.02)


def test_the_paper_keeps_no_parent_and_elitism_keeps_the_best() -> None:
    for elitism, expected in ((0, [1.0, 2.0]), (1, [5.0, 2.0])):
        search = algorithm(population=2, elitism=elitism)
        for fitness in ([5.0, 4.0], [1.0, 2.0]):
            search.ask()
            search.tell(fitness)
        assert [individual.fitness for individual in search.population] == expected
        assert search.best.fitness == 5.0


def test_known_genomes_come_first_and_improved_ones_replace_the_asked() -> None:
    known = Genome.parse("1-11|1-11-111-1111 / 1-11|1-11-111-1111 ; widths 0,0 ; exchange 11")
    search = GeneticAlgorithm(GenomeOperators(SPACE), Settings(population=2), first=[known])
    asked = search.ask()
    assert asked[0] == known
    search.tell([1.0, 2.0], [asked[1], known])
    assert search.best == Individual(known, 2.0)


def test_what_is_told_must_fit_what_was_asked() -> None:
    search = algorithm(population=2)
    with pytest.raises(ValueError, match="best"):
        _ = search.best
    with pytest.raises(ValueError, match="without having asked"):
        search.tell([1.0, 2.0])
    search.ask()
    with pytest.raises(ValueError, match="2 were asked, 1 told"):
        search.tell([1.0])
    with pytest.raises(ValueError, match="finite"):
        search.tell([1.0, float("nan")])


@pytest.mark.parametrize(
    ("field", "value"),
    [("population", 0), ("generations", -1), ("p_m", 1.1), ("q_c", -0.1), ("elitism", 21)],
)
def test_impossible_settings_name_the_field(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"\A{field}: "):
        Settings(**{field: value})  # type: ignore[arg-type]
