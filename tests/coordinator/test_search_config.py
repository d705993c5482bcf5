from pathlib import Path

import pytest

from coordinator.files import FileError, read_config, read_json, write_json
from coordinator.search_config import SearchConfig

GOOD = """
dataset: mnist
space: {nodes: [3, 3], branches: 4}
network: {channels: [[8, 16]]}
training: {phases: [[1, 0.01]]}
winner: {phases: [[2, 0.01]]}
"""


def read(tmp_path: Path, text: str) -> SearchConfig:
    path = tmp_path / "search.yaml"
    path.write_text(text)
    return read_config(path, SearchConfig)


def test_what_is_left_out_has_the_papers_values(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert (config.algorithm.population, config.algorithm.generations) == (20, 50)
    assert config.seed == 0


def test_the_dense_network_is_the_yardstick_of_the_budgets(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert str(config.dense()) == " / ".join(["1-11|1-11"] * 4)


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
