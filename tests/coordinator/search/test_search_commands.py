"""`search` and `train` from the outside: files in, a run folder out, one plain line for what is wrong."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from typer.testing import CliRunner

from coordinator.commands import app
from coordinator.search.evaluation_pool import EvaluatorDiedError
from models.measurement import Measurement
from tests.coordinator.search.toys import DEVICES
from tests.pictures.made_pictures import write_idx_folder, write_picture

SEARCH: dict[str, Any] = {
    "dataset": "pictures",
    "space": {"nodes": [3, 2], "branches": 2},
    "network": {"channels": [[2, 4]]},
    "algorithm": {"population": 4, "generations": 2},
    "training": {"phases": [[1, 0.01]], "batch": 8},
    "supernet": {"phases": [[1, 0.01]], "batch": 8},
    "pictures": 24,
    "validation": 16,
    "winner": {"phases": [[1, 0.01]], "batch": 8},
    "workers": 1,
}


class InThisProcess:
    """Stands for the pool: measures here; ends as told after three networks."""

    end = "never"

    def __init__(self, *_: object) -> None:
        self.left = 3

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        for network in networks:
            if not self.left and self.end == "dies":
                raise EvaluatorDiedError("an evaluator process died")
            if not self.left and self.end != "never":
                signal.raise_signal(getattr(signal, self.end))
            self.left -= 1
            yield network, Measurement(network.count("1") / 20, (), 0.1)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> type[InThisProcess]:
    class Pool(InThisProcess):
        pass

    monkeypatch.setattr("coordinator.search.conduct.EvaluationPool", Pool)
    return Pool


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def write(folder: Path, **changes: Any) -> Path:
    """Write a search file beside its pictures."""
    if not (folder / "pictures").exists():
        write_idx_folder(folder / "pictures")
    path = folder / "search.yaml"
    fields = {name: value for name, value in {**SEARCH, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(fields))
    return path


def refused(folder: Path, code: int = 2, **changes: Any) -> str:
    """Return the one line with which `search` refused, and see that it left no run folder."""
    status, _, stderr = run("search", write(folder, **changes), "--out", folder / "run")
    assert status == code, stderr
    (line,) = stderr.strip().splitlines()
    assert not (folder / "run").exists()
    return line


def write_table(folder: Path) -> list[float]:
    """Write the accuracy of every network of one branch with nodes [3, 2]; return them."""
    firsts = ["0-00", "1-00", "0-11", "1-10", "1-01", "1-11"]
    networks = [f"{first}|{second}" for first in firsts for second in "01"]
    accuracies = [round(0.5 + number / 100, 2) for number in range(len(networks))]
    lines = [f"{name},{value}" for name, value in zip(networks, accuracies, strict=True)]
    (folder / "table.csv").write_text("\n".join(["network,accuracy", *lines, ""]))
    return accuracies


def test_a_supernet_search_then_train_then_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path, evaluator="supernet", mode="pareto")
    out = tmp_path / "run"
    status, stdout, stderr = run("search", config, "--out", out)
    assert status == 0, stderr
    assert str(out / "report.html") in stdout
    assert "train" in stdout
    names = ("individuals.jsonl", "result.json", "report.html", "supernet.pt")
    before = [(out / name).read_bytes() for name in names]
    assert json.loads(before[1])["front"]

    # Elsewhere, paths of the search file are still known, and nothing is trained or measured again.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("search", config, "--out", out, "--resume")[0] == 0
    assert [(out / name).read_bytes() for name in names] == before
    status, _, stderr = run("train", out, "--out", tmp_path / "bundle")
    assert status == 0, stderr
    assert (tmp_path / "bundle" / "bundle.json").exists()


def test_a_search_in_a_table_needs_no_training(tmp_path: Path) -> None:
    space = {"nodes": [3, 2], "branches": 1}
    known = write_table(tmp_path)
    config = write(tmp_path, evaluator="table", table="table.csv", space=space)
    status, stdout, stderr = run("search", config, "--out", tmp_path / "run", "--json")
    assert status == 0, stderr
    assert json.loads(stdout)["best"]["accuracy"] in known


def test_devices_are_read_once_and_kept_in_the_run_folder(
    tmp_path: Path, pool: type[InThisProcess]
) -> None:
    assert pool.end == "never"
    inventory = tmp_path / "fog.json"
    inventory.write_text(json.dumps({"devices": DEVICES}))
    config, out = write(tmp_path, mode="pareto", devices="fog.json"), tmp_path / "run"
    assert run("search", config, "--out", out)[0] == 0
    result = json.loads((out / "result.json").read_text())
    assert all(entry["response_s"] > 0 for entry in result["front"])
    assert json.loads((out / "config.json").read_text())["devices"] == DEVICES
    inventory.write_text(json.dumps({"devices": DEVICES[:1]}))
    status, _, stderr = run("search", config, "--out", out, "--resume")
    assert status == 2
    assert "config.json: devices" in stderr


@pytest.mark.parametrize(("end", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("dies", 2)])
def test_a_search_that_is_ended_says_how_to_go_on(
    tmp_path: Path, pool: type[InThisProcess], end: str, code: int
) -> None:
    config, out = write(tmp_path), tmp_path / "run"
    pool.end = end
    before = signal.getsignal(signal.SIGTERM)
    status, _, stderr = run("search", config, "--out", out)
    assert status == code
    (line,) = stderr.strip().splitlines()
    assert "--resume goes on" in line
    assert signal.getsignal(signal.SIGTERM) == before
    assert len((out / "measured.jsonl").read_text().splitlines()) == 3
    assert "not finished" in run("train", out, "--out", tmp_path / "b")[2]
    pool.end = "never"
    assert run("search", config, "--out", out, "--resume")[0] == 0
    again = run("search", config, "--out", tmp_path / "whole")
    assert again[0] == 0
    for name in ("individuals.jsonl", "result.json", "state.json", "report.html"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_run_folder_of_another_configuration_is_named(
    tmp_path: Path, pool: type[InThisProcess]
) -> None:
    assert pool.end == "never"
    out = tmp_path / "run"
    assert run("search", write(tmp_path), "--out", out)[0] == 0
    status, _, stderr = run("search", write(tmp_path, seed=3), "--out", out, "--resume")
    assert status == 2
    assert "config.json: seed" in stderr


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"space": {"nodes": []}}, "space: nodes"),
        ({"space": {"nodes": [1, 2]}}, "space: nodes"),
        ({"network": {"channels": [[2, 0]]}}, "network.channels"),
        ({"network": {"channels": [[2]]}}, "network.channels"),
        ({"network": {"channels": [[2, 4]], "kernel": 2}}, "network.kernel"),
        ({"space": {"nodes": [3, 2], "widths": 2}}, "network.channels"),
        ({"algorithm": {"population": 0}}, "algorithm: population"),
        ({"fitness": {"empty": -1}}, "fitness.empty"),
        ({"fitness": {"branch_budget": 10}}, "fitness.branch_budget: 10 MACs"),
        ({"fitness": {"total_budget": 10}}, "fitness.total_budget: 10 MACs"),
        ({"mode": "best"}, "mode"),
        ({"workers": 100_000}, "workers: Input should be less than or equal to 1024"),
        ({"mode": "pareto", "algorithm": {"elitism": 1}}, "mode: pareto"),
        ({"response": {"budget_s": 1}}, "response: needs `devices`"),
        ({"devices": "none.json"}, "none.json"),
        ({"evaluator": "oracle"}, "evaluator"),
        ({"evaluator": "table"}, "table: is missing"),
        ({"evaluator": "table", "table": "none.csv"}, "none.csv"),
        ({"training": {"epochs": 3}}, "training: epochs"),
        ({"validation": 40}, "validation, pictures: 64"),
        ({"dataset": "nowhere"}, "nowhere"),
        ({"winner": None}, "winner"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_bad_search_file_is_one_line_and_leaves_no_folder(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    line = refused(tmp_path, **changes)
    assert named in line
    assert "search.yaml" in line or "none." in line


def test_a_budget_below_the_smallest_network_says_both_numbers(tmp_path: Path) -> None:
    # Two stages of one 3x3 convolution on 8x8 pictures: 64*9*1*2 + 16*9*2*4 + 4*2 MACs a branch.
    assert "2,312" in refused(tmp_path, fitness={"branch_budget": 2311})
    assert "4,624" in refused(tmp_path, fitness={"total_budget": 4623})
    (tmp_path / "fog.json").write_text(json.dumps({"devices": DEVICES}))
    line = refused(tmp_path, devices="fog.json", response={"budget_s": 0.001})
    assert "response.budget_s: 0.001 s, but the smallest network needs 0.00" in line
    small = [{**device, "memory_bytes": 1000} for device in DEVICES]
    (tmp_path / "fog.json").write_text(json.dumps({"devices": small}))
    assert "devices: even the smallest network does not fit" in refused(
        tmp_path, devices="fog.json"
    )


def test_pictures_of_no_use_are_named(tmp_path: Path) -> None:
    for number in range(10):
        write_picture(tmp_path / "one" / "cat" / f"{number}.png", 10 * number)
    assert "one class only" in refused(tmp_path, dataset="one")
    for number in range(10):
        write_picture(tmp_path / "two" / "cat" / f"{number}.png", 10 * number)
        write_picture(tmp_path / "two" / "dog" / f"{number}.png", 10 * number)
    for path in (tmp_path / "two" / "dog").iterdir():
        path.write_bytes(b"no picture")
    assert "dog: no pictures in it" in refused(tmp_path, dataset="two")


def test_a_scheduler_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coordinator.search.dask_pool import SchedulerError

    def nobody(*_: object) -> None:
        raise SchedulerError("tcp://127.0.0.1:1: no Dask scheduler there")

    monkeypatch.setattr("coordinator.search.conduct.DaskPool", nobody)
    arguments = (
        "search",
        write(tmp_path),
        "--out",
        tmp_path / "run",
        "--scheduler",
        "tcp://127.0.0.1:1",
    )
    for _ in range(2):  # the folder holds nothing yet, so it may be tried again as it is
        status, _, stderr = run(*arguments)
        assert status == 2
        assert "tcp://127.0.0.1:1" in stderr
