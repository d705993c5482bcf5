"""The command line: help that teaches, one plain line for what is wrong, JSON for programs."""

import json
import re
import socket
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar, cast

import pytest
from typer.testing import CliRunner

from broker.bus.mqtt import MqttBus
from coordinator.commands import app
from coordinator.fog_commands import tell_of_broker
from models.bundle import BundleAccuracy

EXAMPLE = "examples/placement-24x8.json"
SEARCH = """
dataset: mnist
seed: 3
space: {nodes: [2, 2], branches: 2}
network: {channels: [[2, 4]]}
algorithm: {population: 2, generations: 1}
training: {phases: [[1, 0.01]]}
pictures: 100
validation: 100
winner: {phases: [[1, 0.01]]}
workers: 1
"""


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments: str, code: int = 2) -> str:
    """Return the one line that a command gave for its refusal."""
    status, _, stderr = run(*arguments)
    assert status == code
    assert "Traceback" not in stderr
    (line,) = stderr.strip().splitlines()
    return line


@pytest.mark.parametrize(
    "command",
    [
        "inspect",
        "search",
        "train",
        "place",
        "serve",
        "deploy",
        "redeploy",
        "status",
        "undeploy",
        "forget",
        "demo",
    ],
)
def test_every_command_helps(command: str) -> None:
    status, stdout, _ = run(command, "--help")
    assert status == 0
    assert "Usage" in stdout


def test_place_prints_the_fields_of_the_contract(tmp_path: Path) -> None:
    plot = tmp_path / "gantt.png"
    status, stdout, _ = run("place", EXAMPLE, "--plot", str(plot), "--json")
    assert status == 0
    placed = json.loads(stdout)
    assert placed.keys() >= {
        "placement", "priority", "objective", "response_s", "frames_per_s", "lower_bound_s",
        "evaluations", "seconds",
    }  # fmt: skip
    assert placed["lower_bound_s"] <= placed["response_s"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    problem = json.loads(Path(EXAMPLE).read_text())
    assert placed["placement"].keys() == {part["id"] for part in problem["partitions"]}


@pytest.mark.parametrize(
    ("objective", "limit"),
    [("response", "no answer can come before 89.63 ms"), ("throughput", "more than 31.5 frames/s")],
)
def test_place_tells_people_too_in_the_unit_of_what_was_searched(
    objective: str, limit: str
) -> None:
    status, stdout, _ = run("place", EXAMPLE, "--objective", objective)
    assert status == 0
    assert limit in " ".join(stdout.split())


def test_place_refuses_in_one_line(tmp_path: Path) -> None:
    assert "none.json" in refused("place", str(tmp_path / "none.json"))
    bad = tmp_path / "bad.json"
    bad.write_text("[1, 2")
    assert "no JSON" in refused("place", str(bad))
    problem = json.loads(Path(EXAMPLE).read_text())
    problem["tensors"][0]["producer"] = "nobody"
    bad.write_text(json.dumps(problem))
    assert "producer" in refused("place", str(bad))
    assert "no-folder" in refused("place", EXAMPLE, "--plot", str(tmp_path / "no-folder" / "x.png"))
    assert run("place", EXAMPLE, "--objective", "beauty")[0] == 2


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        *((("place", EXAMPLE), "--rate", value) for value in ("nan", "inf", "-1", "0", "1e300")),
        *((("place", EXAMPLE), "--seed", value) for value in ("-1", "9" * 30)),
        *((("status",), "--listen", value) for value in ("nan", "inf", "0", "1e300")),
        *((("redeploy", "digits"), "--timeout", value) for value in ("nan", "inf", "0", "1e300")),
    ],
)
def test_a_number_that_is_absurd_is_one_line_with_its_option(
    command: tuple[str, ...], option: str, value: str
) -> None:
    assert option in refused(*command, f"{option}={value}")


def test_an_output_that_cannot_be_written_is_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("evolution.placement.genetic.place", never)
    monkeypatch.setattr("coordinator.search.input.InputConfig.load", never)
    for plot in ("x.foo", "x", str(tmp_path), "/proc/x.png"):
        assert f"--plot {plot}" in refused("place", EXAMPLE, "--plot", plot)
    (tmp_path / "search.yaml").write_text(SEARCH)
    cats = tmp_path / "cats"
    cats.mkdir()
    (cats / "1.png").write_text("")
    for out in (cats, cats / "1.png", Path("/proc/x")):
        arguments = ("search", str(tmp_path / "search.yaml"), "--out", str(out))
        for more in ([], ["--resume"]):
            assert f"--out {out}: " in refused(*arguments, *more)
    assert [each.name for each in cats.iterdir()] == ["1.png"]


def test_search_and_train_make_a_bundle(tmp_path: Path) -> None:
    """Real processes train real networks, small ones."""
    config = tmp_path / "search.yaml"
    config.write_text(SEARCH)
    out, bundle = tmp_path / "run", tmp_path / "digits"
    status, stdout, stderr = run("search", str(config), "--out", str(out), "--json")
    assert status == 0, stderr
    result = json.loads(stdout)
    assert result == json.loads((out / "result.json").read_text())
    assert result["evaluations"] == 4
    before = (out / "individuals.jsonl").read_text()
    assert "--resume" in refused("search", str(config), "--out", str(out))
    assert run("search", str(config), "--out", str(out), "--resume")[0] == 0
    assert (out / "individuals.jsonl").read_text() == before

    assert "1|1" in refused("train", str(out), "--out", str(bundle), "--genome", "1|1")
    assert "--genome: " in refused("train", str(out), "--out", str(bundle), "--genome", "")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "1.png").write_text("")
    cats = str(tmp_path / "cats")
    assert f"--out {cats}: is not empty" in refused("train", str(out), "--out", cats)
    assert "--name: 'B B'" in refused("train", str(out), "--out", cats, "--name", "B B")
    page = tmp_path / "page.html"
    assert "--report" in refused("train", str(out), "--out", str(bundle), "--report", cats)
    status, stdout, stderr = run(
        "train", str(out), "--out", str(bundle), "--report", str(page), "--json"
    )
    assert status == 0, stderr
    assert page.read_text().startswith("<!doctype html>")
    trained = json.loads(stdout)
    assert trained["genome"] == result["best"]["genome"]
    assert (bundle / "bundle.json").exists()
    assert (bundle / "whole.onnx").exists()
    for part in trained["partitions"]:
        assert (bundle / part["file"]).exists()


def test_a_bundle_of_one_branch_has_no_accuracy_without_any() -> None:
    assert BundleAccuracy(whole=0.5, missing={}).told() == "50.00%"
    told = BundleAccuracy(whole=0.982, missing={1: 0.91, 2: 0.5}).told()
    assert told == "98.20% (91.00% without 1, 50.00% without 2)"


def test_serve_says_that_it_is_ready_once_there_is_a_broker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Bus:
        url = "mqtt://hub:1883"
        listeners: ClassVar[list[Callable[[bool], None]]] = []

        def on_connection(self, listener: Callable[[bool], None]) -> None:
            self.listeners.append(listener)

    bus = Bus()
    tell_of_broker(cast("MqttBus", bus), "site home")
    waiting = "fog-coordinator: waiting for the broker at mqtt://hub:1883; site home\n"
    assert capsys.readouterr().out == waiting
    for there in (False, True, False, True):
        bus.listeners[0](there)
    ready = "fog-coordinator: connected to mqtt://hub:1883; ready for site home\n"
    assert capsys.readouterr().out == ready


def test_undeploy_tells_programs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Coordinator:
        def undeploy(self, name: str) -> None:
            assert name == "digits"

    monkeypatch.setattr("coordinator.fog_commands._talk", lambda *_: nullcontext(Coordinator()))
    assert run("undeploy", "digits") == (0, "digits: undeployed\n", "")
    status, stdout, _ = run("undeploy", "digits", "--json")
    assert (status, json.loads(stdout)) == (0, {"deployment": "digits", "undeployed": True})


def test_search_refuses_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "search.yaml"
    config.write_text(SEARCH.replace("mnist", str(tmp_path / "nowhere")))
    assert "nowhere" in refused("search", str(config), "--out", str(tmp_path / "run"))
    config.write_text(SEARCH.replace("[[2, 4]]", "[[2]]"))
    assert "channels" in refused("search", str(config), "--out", str(tmp_path / "run"))
    assert "none.yaml" in refused("search", str(tmp_path / "none.yaml"), "--out", "x")
    assert "nothing" in refused("train", str(tmp_path / "nothing"), "--out", str(tmp_path / "b"))


def test_a_broker_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"mqtt://127.0.0.1:{port}"
    for command in (["status"], ["redeploy", "digits"], ["undeploy", "digits"]):
        assert url in refused(*command, "--broker", url)
    assert "bundle" in refused("deploy", str(tmp_path), "--name", "digits", "--broker", url)
    assert "is not a broker address" in refused("status", "--broker", "http://x")


def test_names_that_no_topic_can_carry_are_refused() -> None:
    assert re.search(r"name: 'Not/One'", refused("redeploy", "Not/One"))
    assert re.search(r"site: '\+'", refused("status", "--site", "+"))


def test_without_a_coordinator_deploy_says_so(
    mosquitto: object, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.fog.client._ANSWER_S", 0.5)
    url = mosquitto.url  # type: ignore[attr-defined]
    line = refused("redeploy", "digits", "--broker", url, "--site", site, code=1)
    assert "no deployment digits" in line
