"""Every penalty moves a small search the right way: with its weight alone, its term ends lower."""

from statistics import mean

import pytest

from evolution.cost import NetworkShape, total_macs
from evolution.engine import GeneticAlgorithm, Settings
from evolution.fitness import Fitness, Weights, fitness_of
from evolution.genome import Genome, Space
from evolution.operators import GenomeOperators

SPACE = Space((3, 4), branches=2, exchange=True, widths=2)
SHAPE = NetworkShape(classes=10, input=(1, 28, 28), channels=((4, 8), (8, 16)))
PARTS = ("heaviest", "whole", "isolated", "unequal", "exchanged", "empty")
BUDGETS = {"branch_budget": 5e6, "total_budget": 1e7, "response_budget_s": 0.02}


def scored(genome: Genome, weights: Weights, term: str) -> Fitness:
    """Score a genome as if accuracy wanted the opposite of a term: few edges, or many.

    The response is that of one device of 10^8 MACs a second.
    """
    edges = str(genome).split(";")[0].count("1")
    wanted = -edges if term in {"isolated", "empty", "structure"} else edges
    seconds = total_macs(genome, SHAPE) / 1e8
    return fitness_of(genome, 0.8 + wanted / 200, SHAPE, weights, seconds)


def ends_at(term: str, weights: Weights) -> float:
    """Return the mean of a term in the last generation, over three searches."""
    found = []
    for seed in range(3):
        search = GeneticAlgorithm(GenomeOperators(SPACE), Settings(generations=15), seed)
        while not search.finished:
            scores = [scored(genome, weights, term) for genome in search.ask()]
            search.tell([score.total for score in scores])
        found.append(mean(score.as_dict()[term] for score in scores))
    return mean(found)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_complexity_and_structure(part: str) -> None:
    silent = dict.fromkeys(PARTS, 0.0)
    alone = Weights(**BUDGETS, complexity=1.0, structure=1.0, **{**silent, part: 1.0})
    assert ends_at(part, alone) < 0.8 * ends_at(part, Weights(**BUDGETS))


@pytest.mark.parametrize("penalty", ["complexity", "structure"])
def test_each_penalty_as_a_whole(penalty: str) -> None:
    alone = Weights(**BUDGETS, **{penalty: 1.0})
    assert ends_at(penalty, alone) < 0.8 * ends_at(penalty, Weights(**BUDGETS))


@pytest.mark.parametrize("term", ["response", "over_budget"])
def test_the_response_and_what_it_has_above_its_budget(term: str) -> None:
    alone = Weights(**BUDGETS, **{term: 1.0})
    assert ends_at(term, alone) < 0.8 * ends_at(term, Weights(**BUDGETS))


def test_a_budget_that_is_kept_to_costs_nothing() -> None:
    genome = Genome.parse("1-11|1-11 / 1-11|1-11")
    weights = Weights(**BUDGETS, over_budget=5.0)
    assert fitness_of(genome, 0.9, SHAPE, weights, 0.02).total == 0.9
    above = fitness_of(genome, 0.9, SHAPE, weights, 0.022)
    assert above.over_budget == pytest.approx(0.1)
    assert above.total == pytest.approx(0.9 - 5 * 0.1)
    assert above.response_s == 0.022


def test_without_devices_nothing_is_said_of_the_response() -> None:
    terms = fitness_of(Genome.parse("1|1"), 0.9, SHAPE, Weights(1, 1)).as_dict()
    assert not {"response_s", "response", "over_budget"} & terms.keys()
