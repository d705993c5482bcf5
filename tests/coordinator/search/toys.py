"""What the tests of the search play with: a small configuration, and evaluators that only count."""

from collections.abc import Iterator
from typing import Any

from coordinator.search.config import SearchConfig
from coordinator.search.evaluation_pool import EvaluatorDiedError
from coordinator.search.run import Step
from coordinator.search.scoring import Scoring
from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.measurement import Measurement

SHAPE = NetworkShape(classes=10, input=(1, 28, 28), channels=((4, 8), (8, 16)))

DEVICES = [
    {
        "id": f"pi-{number}",
        "memory_bytes": 1e8,
        "uplink_bytes_per_s": 1e7,
        "downlink_bytes_per_s": 1e7,
        "latency_s": 1e-3,
        "macs_per_s": speed,
    }
    for number, speed in enumerate((1e9, 1e8))
]


def config(**changes: Any) -> SearchConfig:
    """Return a search of 30 individuals, with some fields changed."""
    fields = {
        "dataset": "mnist",
        "space": {"nodes": [3, 3], "branches": 2},
        "network": {"channels": [[4, 8], [8, 16]]},
        "algorithm": {"population": 6, "generations": 4},
        "fitness": {"complexity": 0.1, "structure": 0.1},
        "training": {},
        "winner": {},
    }
    return SearchConfig.model_validate({**fields, **changes})


def scoring(of: SearchConfig) -> Scoring:
    """Return the scoring of a configuration on 28x28 digits."""
    return Scoring.of(of, SHAPE)


class Evaluators:
    """Say that edges are good; die after ``lives`` measurements."""

    def __init__(self, lives: int = 10_000) -> None:
        self.lives = lives
        self.measured: list[str] = []

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        """Measure one after the other."""
        for network in networks:
            if len(self.measured) == self.lives:
                raise EvaluatorDiedError("an evaluator process died")
            self.measured.append(network)
            assert str(Genome.parse(network).canonical()) == network
            code = network.split(";")[0]
            yield network, Measurement(code.count("1") / (len(code) + 1), (), 0.5)


def quiet(_: Step) -> None:
    """Hear of progress and do nothing."""
