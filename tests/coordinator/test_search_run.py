"""A run folder: nothing measured is lost, and a resumed run equals one that was never killed."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.evaluation_pool import EvaluatorDiedError
from coordinator.files import FileError
from coordinator.search import INDIVIDUALS, MEASURED, RESULT, Run, Step, search
from coordinator.search_config import SearchConfig
from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.evaluator import Measurement

SHAPE = NetworkShape(classes=10, input=(1, 28, 28), channels=((4, 8),))


def config(**changes: object) -> SearchConfig:
    return SearchConfig.model_validate(
        {
            "dataset": "mnist",
            "space": {"nodes": [3, 3], "branches": 2},
            "network": {"channels": [[4, 8]]},
            "algorithm": {"population": 6, "generations": 4},
            "fitness": {"complexity": 0.1, "structure": 0.1},
            "training": {},
            "winner": {},
            **changes,
        }
    )


class Evaluators:
    """Say that edges are good; die after ``lives`` measurements."""

    def __init__(self, lives: int = 10_000) -> None:
        self.lives = lives
        self.measured: list[str] = []

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        for network in networks:
            if len(self.measured) == self.lives:
                raise EvaluatorDiedError("an evaluator process died")
            self.measured.append(network)
            assert str(Genome.parse(network).canonical()) == network
            yield network, Measurement(network.count("1") / 12, (), 0.5)


def files(folder: Path) -> tuple[str, str]:
    return (folder / INDIVIDUALS).read_text(), (folder / RESULT).read_text()


def quiet(_: Step) -> None:
    pass


def test_every_individual_is_written_with_every_term_of_its_fitness(tmp_path: Path) -> None:
    result = search(Run(tmp_path, config(), resume=False), Evaluators(), SHAPE, quiet)
    lines = [json.loads(line) for line in (tmp_path / INDIVIDUALS).read_text().splitlines()]
    assert len(lines) == result["evaluations"] == 6 * 5
    assert [line["generation"] for line in lines] == [g for g in range(5) for _ in range(6)]
    for line in lines:
        penalty = 0.1 * line["complexity"] + 0.1 * line["structure"]
        assert line["fitness"] == pytest.approx(line["accuracy"] - penalty)
    best = max(lines, key=lambda line: line["fitness"])
    assert result["best"]["genome"] == best["genome"]
    assert result["best"]["macs"] == sum(result["best"]["branch_macs"])


def test_a_network_is_measured_once(tmp_path: Path) -> None:
    evaluators = Evaluators()
    result = search(Run(tmp_path, config(), resume=False), evaluators, SHAPE, quiet)
    assert len(evaluators.measured) == len(set(evaluators.measured))
    assert len(evaluators.measured) == result["distinct_networks"]


@given(lives=st.integers(0, 20))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_anywhere_and_resumed_it_ends_the_same(
    tmp_path_factory: pytest.TempPathFactory, lives: int
) -> None:
    whole, torn = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("torn")
    evaluators = Evaluators()
    search(Run(whole, config(), resume=False), evaluators, SHAPE, quiet)
    first = Evaluators(lives)
    with contextlib.suppress(FileError):  # unless it lived long enough
        search(Run(torn, config(), resume=False), first, SHAPE, quiet)
    second = Evaluators()
    search(Run(torn, config(), resume=True), second, SHAPE, quiet)
    assert files(torn) == files(whole)
    assert sorted(first.measured + second.measured) == sorted(evaluators.measured)


def test_an_evaluator_that_dies_ends_the_run_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="evaluator process died; --resume goes on"):
        search(Run(tmp_path, config(), resume=False), Evaluators(3), SHAPE, quiet)
    assert len((tmp_path / MEASURED).read_text().splitlines()) == 3


def test_a_torn_last_record_is_measured_again(tmp_path: Path) -> None:
    search(Run(tmp_path, config(), resume=False), Evaluators(), SHAPE, quiet)
    before = files(tmp_path)
    path = tmp_path / MEASURED
    path.write_text(path.read_text()[:-20])
    again = Evaluators()
    search(Run(tmp_path, config(), resume=True), again, SHAPE, quiet)
    assert len(again.measured) == 1
    assert files(tmp_path) == before


def test_a_record_that_is_broken_in_the_middle_is_named(tmp_path: Path) -> None:
    search(Run(tmp_path, config(), resume=False), Evaluators(), SHAPE, quiet)
    path = tmp_path / MEASURED
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{", *lines[2:]]))
    with pytest.raises(FileError, match="line 2"):
        Run(tmp_path, config(), resume=True)


def test_a_run_folder_of_another_configuration_is_refused_by_field(tmp_path: Path) -> None:
    Run(tmp_path, config(), resume=False)
    with pytest.raises(FileError, match="seed"):
        Run(tmp_path, config(seed=2), resume=True)
    with pytest.raises(FileError, match="--resume"):
        Run(tmp_path, config(), resume=False)
    Run(tmp_path, config(workers=7), resume=True)


def test_another_seed_searches_otherwise(tmp_path: Path) -> None:
    search(Run(tmp_path / "a", config(), resume=False), Evaluators(), SHAPE, quiet)
    search(Run(tmp_path / "b", config(seed=5), resume=False), Evaluators(), SHAPE, quiet)
    assert files(tmp_path / "a") != files(tmp_path / "b")


def test_progress_is_told_as_it_is_made(tmp_path: Path) -> None:
    steps: list[Step] = []
    search(Run(tmp_path, config(), resume=False), Evaluators(), SHAPE, steps.append)
    assert [step.scored for step in steps] == sorted(step.scored for step in steps)
    assert steps[-1].individuals == 30
    assert steps[-1].best is not None
