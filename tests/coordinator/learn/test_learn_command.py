"""`learn` from the outside: a folder of pictures in, a bundle and a report out; one plain line for what is wrong."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from coordinator.commands import app
from coordinator.search.config import read_search
from evolution.genome import Genome
from models.bundle import read_bundle
from models.measurement import Evaluator, Measurement

QUICK = ("--size", "16", "--epochs", "3", "--seed", "5", "--crop", "0.5,0.5,0.5,0.5")


class InThisProcess:
    """Stands for the processes of evaluators: measures here, for real; ends as told before the last."""

    end = ""

    def __init__(self, evaluate: Evaluator, _workers: int | None) -> None:
        self._evaluate = evaluate

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        for number, network in enumerate(networks):
            if self.end and number == 1:
                signal.raise_signal(getattr(signal, self.end))
            yield network, self._evaluate(Genome.parse(network))


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> type[InThisProcess]:
    class Pool(InThisProcess):
        pass

    monkeypatch.setattr("coordinator.search.conduct.EvaluationPool", Pool)
    return Pool


@pytest.fixture(scope="module")
def bins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of photographs of 20 each: a light thing stands in the corner, or does not."""
    folder = tmp_path_factory.mktemp("made") / "Bin at the Door"
    random = np.random.default_rng(1)
    for name in ("in", "out"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(60, 120, (48, 64, 3), np.uint8)
            if name == "out":
                pixels[28:44, 40:58] = 230
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")
    return folder


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["learn", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def learned(bins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `learn` made of them, once for all tests; its JSON is in the file `told`."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("coordinator.search.conduct.EvaluationPool", InThisProcess)
        status, stdout, stderr = run(bins, "--out", folder / "bin", *QUICK, "--json")
    assert status == 0, stderr
    (folder / "told").write_text(stdout)
    return folder / "bin"


def test_a_folder_of_pictures_becomes_a_bundle_and_a_report(bins: Path, learned: Path) -> None:
    told = json.loads((learned.parent / "told").read_text())
    assert told == json.loads((learned / "learn.json").read_text())
    assert sorted(told) == [
        "accuracy", "bundle", "confusion", "interval", "missing", "per_class", "seconds", "threshold",
    ]  # fmt: skip
    assert told["interval"][0] <= told["accuracy"] <= told["interval"][1]
    assert sum(map(sum, told["confusion"])) == sum(
        each["pictures"] for each in told["per_class"].values()
    )
    assert list(told["missing"]) == ["1", "2", "3"]

    bundle = read_bundle(Path(told["bundle"]))
    assert bundle.name == "bin-at-the-door"
    assert bundle.input.shape == (1, 3, 12, 16)
    assert bundle.input.crop == (0.5, 0.5, 0.5, 0.5)
    assert bundle.accuracy.whole == told["accuracy"]
    assert bundle.calibration.threshold == told["threshold"]
    page = (learned / "report.html").read_text()
    assert "Too few pictures to tell" in page
    assert f"--name {bundle.name} " in page

    search = read_search(learned / "search.yaml")  # and it can be run again by itself
    assert (search.seed, search.winner.epochs, search.dataset) == (5, 3, str(bins))


def test_what_is_done_is_not_done_again_nor_overwritten(bins: Path, learned: Path) -> None:
    told = (learned.parent / "told").read_text()
    assert run(bins, "--out", learned, *QUICK, "--json", "--resume")[1] == told
    status, _, stderr = run(bins, "--out", learned, *QUICK)
    assert status == 2
    assert "--resume goes on with it" in stderr
    status, _, stderr = run(bins, "--out", learned, *QUICK, "--fit", "pad", "--resume")
    assert status == 2
    assert "search.yaml: is not what these options decide" in stderr


def test_what_was_ended_goes_on_and_comes_to_the_same(
    bins: Path, tmp_path: Path, learned: Path, pool: type[InThisProcess]
) -> None:
    pool.end = "SIGINT"
    status, _, stderr = run(bins, "--out", tmp_path / "bin", *QUICK)
    assert status == 130
    (line,) = [line for line in stderr.splitlines() if line.startswith("error")]
    assert "--resume goes on with what is measured" in line
    pool.end = ""
    status, stdout, stderr = run(bins, "--out", tmp_path / "bin", *QUICK, "--json", "--resume")
    assert status == 0, stderr
    told, before = json.loads(stdout), json.loads((learned / "learn.json").read_text())
    assert {**told, "seconds": 0, "bundle": ""} == {**before, "seconds": 0, "bundle": ""}
    for name in ("bundle/whole.onnx", "run/individuals.jsonl", "search.yaml"):
        assert (tmp_path / "bin" / name).read_bytes() == (learned / name).read_bytes()


def test_a_dry_run_tells_the_cost_and_leaves_nothing(bins: Path, tmp_path: Path) -> None:
    out = tmp_path / "bin"
    status, stdout, _ = run(bins, "--out", out, *QUICK, "--dry-run")
    assert status == 0
    assert "on one core of a Raspberry Pi 4" in stdout
    assert "to train the winner" in stdout
    told = json.loads(run(bins, "--out", out, *QUICK, "--dry-run", "--json")[1])
    assert told["input"] == [3, 12, 16]
    assert told["frame_bytes"] == 3 * 12 * 16
    assert told["seconds"] == told["search_s"] + told["winner_s"]
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--size", "big"], "--size big"),
        (["--size", "1"], "input: 1x1 pixels cannot be halved once"),
        (["--size", "4000"], "--size: a frame of 4000x3000"),
        (["--crop", "0,0,2,1"], "--crop: left + width"),
        (["--name", "Not a name"], "name: 'Not a name'"),
        (["--seed", "-1"], "--seed"),
        (["--epochs", "0"], "--epochs"),
        (["--fit", "zoom"], "--fit"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    bins: Path, tmp_path: Path, arguments: list[str], fault: str
) -> None:
    out = tmp_path / "bin"
    status, stdout, stderr = run(bins, "--out", out, *arguments)
    assert status == 2, stdout
    (line,) = stderr.strip().splitlines()
    assert fault in line
    assert not out.exists()


def test_classes_of_two_pictures_leave_nothing_to_learn_from(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b") * 2):
        path = tmp_path / "few" / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 60 * number, np.uint8)).save(path)
    status, _, stderr = run(tmp_path / "few", "--out", tmp_path / "out")
    assert status == 2
    (line,) = stderr.splitlines()
    assert "class a: no picture is left to learn from" in line


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    status, _, stderr = run(tmp_path / "nowhere", "--out", tmp_path / "out")
    assert status == 2
    assert str(tmp_path / "nowhere") in stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_among_the_pictures_would_be_a_class_the_next_time(bins: Path) -> None:
    status, _, stderr = run(bins, "--out", bins / "learned", *QUICK)
    assert status == 2
    assert "lies among the pictures" in stderr
    assert not (bins / "learned").exists()


def test_somebody_elses_folder_is_left_alone(bins: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    status, _, stderr = run(bins, "--out", tmp_path, *QUICK)
    assert status == 2
    assert "diary.txt" in stderr
