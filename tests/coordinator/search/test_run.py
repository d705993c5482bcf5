"""A run folder: nothing measured is lost, and a resumed run equals one that was never killed."""

import contextlib
import json
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.files import FileError
from coordinator.search.run import Step, search
from coordinator.search.run_folder import CONFIG, INDIVIDUALS, MEASURED, RESULT, STATE, TIMING, Run
from evolution.engine import GeneticAlgorithm
from evolution.operators import GenomeOperators
from tests.coordinator.search.toys import (
    DEVICES,
    Evaluators,
    config,
    quiet,
    scoring,
)

SCORING = scoring(config())

SCREENED = {"screening": 8}
PARETO: dict[str, Any] = {
    "mode": "pareto",
    "space": {"nodes": [3, 3], "branches": 2, "exchange": True, "widths": 2},
}

WITH_DEVICES: dict[str, Any] = {
    "devices": DEVICES,
    "response": {"budget_s": 0.02, "weight": 0.3, "over_budget": 2.0},
}


def files(folder: Path) -> tuple[str, str]:
    return (folder / INDIVIDUALS).read_text(), (folder / RESULT).read_text()


def test_every_individual_is_written_with_every_term_of_its_fitness(tmp_path: Path) -> None:
    result = search(Run(tmp_path, config(), resume=False), Evaluators(), SCORING, quiet)
    lines = [json.loads(line) for line in (tmp_path / INDIVIDUALS).read_text().splitlines()]
    assert len(lines) == result["evaluations"] == 6 * 5
    assert [line["generation"] for line in lines] == [g for g in range(5) for _ in range(6)]
    for line in lines:
        penalty = 0.1 * line["complexity"] + 0.1 * line["structure"]
        assert line["fitness"] == pytest.approx(line["accuracy"] - penalty)
    best = max(lines, key=lambda line: line["fitness"])
    assert result["best"]["genome"] == best["genome"]
    assert result["best"]["macs"] == sum(result["best"]["branch_macs"])


def test_screening_looks_at_better_networks(tmp_path: Path) -> None:
    def mean_fitness(name: str, **changes: Any) -> float:
        asked = config(**changes)
        search(Run(tmp_path / name, asked, resume=False), Evaluators(), scoring(asked), quiet)
        lines = (tmp_path / name / INDIVIDUALS).read_text().splitlines()
        return mean(float(json.loads(line)["fitness"]) for line in lines)

    assert mean_fitness("screened", **SCREENED) > mean_fitness("plain")


def test_a_network_is_measured_once(tmp_path: Path) -> None:
    evaluators = Evaluators()
    result = search(Run(tmp_path, config(), resume=False), evaluators, SCORING, quiet)
    assert len(evaluators.measured) == len(set(evaluators.measured))
    assert len(evaluators.measured) == result["distinct_networks"]


@given(lives=st.integers(0, 20), changes=st.sampled_from([{}, SCREENED, PARETO, WITH_DEVICES]))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_anywhere_and_resumed_it_ends_the_same(
    tmp_path_factory: pytest.TempPathFactory, lives: int, changes: dict[str, Any]
) -> None:
    whole, torn = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("torn")
    asked = config(**changes)
    evaluators = Evaluators()
    search(Run(whole, asked, resume=False), evaluators, scoring(asked), quiet)
    first = Evaluators(lives)
    with contextlib.suppress(FileError):  # unless it lived long enough
        search(Run(torn, asked, resume=False), first, scoring(asked), quiet)
    second = Evaluators()
    search(Run(torn, asked, resume=True), second, scoring(asked), quiet)
    assert files(torn) == files(whole)
    assert sorted(first.measured + second.measured) == sorted(evaluators.measured)


def test_a_kill_leaves_the_complete_generations_and_the_state_after_them(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        search(Run(tmp_path / "torn", config(), resume=False), Evaluators(14), SCORING, quiet)
    search(Run(tmp_path / "whole", config(), resume=False), Evaluators(), SCORING, quiet)
    found = (tmp_path / "torn" / INDIVIDUALS).read_text().splitlines()
    whole = (tmp_path / "whole" / INDIVIDUALS).read_text().splitlines()
    assert found == whole[: len(found)]
    state = json.loads((tmp_path / "torn" / STATE).read_text())
    assert len(found) == 6 * state["generation"] > 0
    algorithm = GeneticAlgorithm(GenomeOperators(config().space), config().algorithm)
    algorithm.restore(state)
    next_ones = [json.loads(line)["genome"] for line in whole[len(found) : len(found) + 6]]
    assert [str(genome) for genome in algorithm.ask()] == next_ones


def test_a_finished_run_is_resumed_without_measuring(tmp_path: Path) -> None:
    search(Run(tmp_path, config(), resume=False), Evaluators(), SCORING, quiet)
    before = files(tmp_path)
    again = Evaluators()
    search(Run(tmp_path, config(), resume=True), again, SCORING, quiet)
    assert again.measured == []
    assert files(tmp_path) == before
    measured = len((tmp_path / MEASURED).read_text().splitlines())
    assert json.loads((tmp_path / TIMING).read_text())["measuring_s"] == 0.5 * measured


def test_the_front_is_what_brute_force_finds_among_all_individuals(tmp_path: Path) -> None:
    asked = config(**PARETO, devices=DEVICES)
    result = search(Run(tmp_path, asked, resume=False), Evaluators(), scoring(asked), quiet)
    lines = [json.loads(line) for line in (tmp_path / INDIVIDUALS).read_text().splitlines()]
    names = ("heaviest_macs", "exchanged_bytes", "response_s")
    vectors = {
        line["network"]: (1 - line["accuracy"], *(line[name] for name in names)) for line in lines
    }
    expected = {
        network
        for network, vector in vectors.items()
        if not any(
            other != vector and all(x <= y for x, y in zip(other, vector, strict=True))
            for other in vectors.values()
        )
    }
    assert {entry["network"] for entry in result["front"]} == expected
    assert len(result["front"]) == len(expected)
    accuracies = [entry["accuracy"] for entry in result["front"]]
    assert accuracies == sorted(accuracies, reverse=True)
    assert result["best"]["fitness"] == max(line["fitness"] for line in lines)


def test_with_devices_every_individual_says_how_soon_it_would_answer(tmp_path: Path) -> None:
    asked = config(**WITH_DEVICES)
    search(Run(tmp_path, asked, resume=False), Evaluators(), scoring(asked), quiet)
    for line in (tmp_path / INDIVIDUALS).read_text().splitlines():
        record = json.loads(line)
        assert record["response"] == pytest.approx(record["response_s"] / 0.02)
        assert record["over_budget"] == pytest.approx(max(0.0, record["response"] - 1))
        penalties = 0.1 * record["complexity"] + 0.1 * record["structure"]
        penalties += 0.3 * record["response"] + 2 * record["over_budget"]
        assert record["fitness"] == pytest.approx(record["accuracy"] - penalties)


def test_an_evaluator_that_dies_ends_the_run_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="evaluator process died; --resume goes on"):
        search(Run(tmp_path, config(), resume=False), Evaluators(3), SCORING, quiet)
    assert len((tmp_path / MEASURED).read_text().splitlines()) == 3


def test_a_torn_last_record_is_measured_again(tmp_path: Path) -> None:
    search(Run(tmp_path, config(), resume=False), Evaluators(), SCORING, quiet)
    before = files(tmp_path)
    path = tmp_path / MEASURED
    path.write_text(path.read_text()[:-20])
    again = Evaluators()
    search(Run(tmp_path, config(), resume=True), again, SCORING, quiet)
    assert len(again.measured) == 1
    assert files(tmp_path) == before


def test_a_record_that_is_broken_in_the_middle_is_named(tmp_path: Path) -> None:
    search(Run(tmp_path, config(), resume=False), Evaluators(), SCORING, quiet)
    path = tmp_path / MEASURED
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{", *lines[2:]]))
    with pytest.raises(FileError, match="line 2"):
        Run(tmp_path, config(), resume=True)


def test_a_run_folder_of_another_configuration_is_refused_by_field(tmp_path: Path) -> None:
    Run(tmp_path, config(), resume=False).remember("1|1", 0.5, 1.0)
    with pytest.raises(FileError, match=r"config\.json: seed"):
        Run(tmp_path, config(seed=2), resume=True)
    with pytest.raises(FileError, match="--resume"):
        Run(tmp_path, config(), resume=False)
    Run(tmp_path, config(workers=7), resume=True)


def test_a_run_folder_in_which_nothing_was_measured_is_as_good_as_new(tmp_path: Path) -> None:
    Run(tmp_path, config(), resume=False)
    Run(tmp_path, config(seed=2), resume=False)
    assert json.loads((tmp_path / CONFIG).read_text())["seed"] == 2


def test_another_seed_searches_otherwise(tmp_path: Path) -> None:
    search(Run(tmp_path / "a", config(), resume=False), Evaluators(), SCORING, quiet)
    search(Run(tmp_path / "b", config(seed=5), resume=False), Evaluators(), SCORING, quiet)
    assert files(tmp_path / "a") != files(tmp_path / "b")


def test_progress_is_told_as_it_is_made(tmp_path: Path) -> None:
    steps: list[Step] = []
    search(Run(tmp_path, config(), resume=False), Evaluators(), SCORING, steps.append)
    assert [step.scored for step in steps] == sorted(step.scored for step in steps)
    assert steps[-1].individuals == 30
    assert steps[-1].best is not None
