import math

import pytest
from hypothesis import given

from evolution.cost import NetworkShape
from evolution.fitness import Weights, fitness_of
from evolution.genome import Genome
from tests.evolution.strategies import networks

SHAPE = NetworkShape(classes=10, input=(1, 28, 28), channels=((8, 16), (16, 32)))


def total(text: str, **weights: float) -> float:
    chosen = Weights(branch_budget=1e6, total_budget=1e6, **weights)
    return fitness_of(Genome.parse(text), 0.9, SHAPE, chosen).total


@given(networks())
def test_the_total_is_the_sum_of_its_reported_terms(network: tuple[Genome, NetworkShape]) -> None:
    weights = Weights(1e6, 2e6, complexity=0.3, structure=0.2, isolated=0.7)
    found = fitness_of(network[0], 0.8, network[1], weights).as_dict()
    parts = ("isolated", "unequal", "exchanged", "empty")
    assert all(0 <= found[part] <= 1 for part in parts)
    assert found["complexity"] == pytest.approx(0.5 * found["heaviest"] + 0.5 * found["whole"])
    assert found["structure"] == pytest.approx(
        0.7 * found["isolated"] + 0.25 * sum(found[part] for part in parts[1:])
    )
    assert found["total"] == pytest.approx(
        0.8 - 0.3 * found["complexity"] - 0.2 * found["structure"]
    )


def test_without_weights_only_accuracy_counts() -> None:
    assert total("1-11|1-11") == total("0-00|0-00") == 0.9


@pytest.mark.parametrize(
    ("weight", "better", "worse"),
    [
        ("heaviest", "1-00|0-00 / 0-00|1-00", "1-00|1-00 / 0-00|0-00"),
        ("whole", "1-00|1-00", "1-11|1-11"),
        ("isolated", "1-01|1-01", "1-00|1-01"),
        ("unequal", "1-01|1-01 / 1-01|1-01", "1-01|1-01 / 1-00|0-00"),
        ("exchanged", "1-01|1-01 / 1-01|1-01 ; exchange 10", "1-01|1-01 / 1-01|1-01 ; exchange 11"),
        ("empty", "1-01|1-01", "1-01|0-00"),
    ],
)
def test_each_term_moves_the_search_the_right_way(weight: str, better: str, worse: str) -> None:
    off = dict.fromkeys(("heaviest", "whole", "isolated", "unequal", "exchanged", "empty"), 0.0)
    alone = {**off, weight: 1.0}
    assert total(better, complexity=1, structure=1, **alone) > total(
        worse, complexity=1, structure=1, **alone
    )


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"complexity": -1.0}, "complexity"),
        ({"empty": math.nan}, "empty"),
        ({"total_budget": 0.0}, "branch_budget, total_budget"),
        ({"response_budget_s": 0.0}, "response_budget_s"),
        ({"over_budget": math.inf}, "over_budget"),
    ],
)
def test_impossible_weights_name_the_field(arguments: dict[str, float], field: str) -> None:
    with pytest.raises(ValueError, match=rf"\A{field}: "):
        Weights(**({"branch_budget": 1.0, "total_budget": 1.0} | arguments))


def test_an_accuracy_is_a_fraction() -> None:
    with pytest.raises(ValueError, match="accuracy"):
        fitness_of(Genome.parse("1|1"), 91.0, SHAPE, Weights(1, 1))
