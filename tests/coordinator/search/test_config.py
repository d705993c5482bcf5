import json
from pathlib import Path

import numpy as np
import pytest

from coordinator.files import FileError, read_config, read_json, write_json
from coordinator.search.config import SearchConfig, read_search
from evolution.cost import NetworkShape, total_macs
from models.evaluator import QUICK
from tests.coordinator.search.toys import DEVICES

GOOD = """
dataset: mnist
space: {nodes: [3, 3], branches: 4}
network: {channels: [[8, 16]]}
training: {phases: [[1, 0.01]]}
winner: {phases: [[2, 0.01]]}
"""

SHAPE = NetworkShape(classes=10, input=(1, 28, 28), channels=((8, 16),))
_WEIGHTS = (
    "complexity", "heaviest", "whole", "structure", "isolated", "unequal", "exchanged", "empty",
)  # fmt: skip


def read(tmp_path: Path, text: str) -> SearchConfig:
    path = tmp_path / "search.yaml"
    path.write_text(text)
    return read_config(path, SearchConfig)


def test_what_is_left_out_has_the_papers_values(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert (config.algorithm.population, config.algorithm.generations) == (20, 50)
    assert config.seed == 0
    assert (config.mode, config.evaluator) == ("weighted", "training")


def test_the_dense_network_is_the_yardstick_of_the_budgets(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert str(config.dense()) == " / ".join(["1-11|1-11"] * 4)


def test_every_weight_of_the_fitness_has_a_field(tmp_path: Path) -> None:
    named = {name: 0.125 * number for number, name in enumerate(_WEIGHTS, start=1)}
    fields = ", ".join(f"{name}: {value}" for name, value in named.items())
    weights = read(tmp_path, GOOD + f"fitness: {{{fields}}}\n").weights(SHAPE)
    assert {name: getattr(weights, name) for name in named} == named


def test_nothing_of_the_space_is_smaller_than_the_smallest(tmp_path: Path) -> None:
    text = GOOD.replace("branches: 4", "branches: 2, widths: 2, exchange: true")
    config = read(tmp_path, text.replace("[[8, 16]]", "[[8, 16], [4, 40]]"))
    shape = NetworkShape(classes=10, input=(1, 28, 28), channels=((8, 16), (4, 40)))
    least = total_macs(config.smallest(shape), shape)
    rng = np.random.default_rng(0)
    assert all(total_macs(config.space.random(rng), shape) >= least for _ in range(200))


def test_without_training_a_candidate_gets_a_quick_one(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD.replace("training: {phases: [[1, 0.01]]}", "")).training == QUICK


def test_paths_are_relative_to_the_search_file(tmp_path: Path) -> None:
    (tmp_path / "fog.json").write_text(json.dumps({"devices": DEVICES}))
    text = GOOD.replace("dataset: mnist", "dataset: ../flowers\ndevices: fog.json\ntable: t.csv")
    (tmp_path / "search.yaml").write_text(text)
    config = read_search(tmp_path / "search.yaml")
    assert config.dataset == str(tmp_path.resolve().parent / "flowers")
    assert config.table == str(tmp_path.resolve() / "t.csv")
    assert [device.id for device in config.inventory] == ["pi-0", "pi-1"]
    assert SearchConfig.model_validate(config.model_dump(mode="json")) == config


def test_the_examples_can_be_read() -> None:
    for path in Path("examples").glob("search-*.yaml"):
        assert read_search(path).winner.epochs > 0


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("branches: 4", "branches: 0", "space"),
        ("nodes: [3, 3]", "nodes: []", "nodes"),
        ("nodes: [3, 3]", "knots: [3, 3]", "knots"),
        ("[[8, 16]]", "[[8, 0]]", "network.channels"),
        ("phases: [[1, 0.01]]", "phases: []", "training"),
        ("dataset: mnist", "data: mnist", "data"),
        ("training:", "training", "YAML"),
        ("dataset:", "screening: 0\ndataset:", "screening"),
        ("dataset:", "screening: 8\nmode: pareto\ndataset:", "screening.*mode"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(FileError, match=named) as raised:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert "search.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_that_are_not_there_or_not_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.json"):
        read_json(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(FileError, match=r"bad\.json: no JSON, line 1"):
        read_json(tmp_path / "bad.json")
    write_json(tmp_path / "good.json", {"a": 1})
    assert read_json(tmp_path / "good.json") == {"a": 1}
