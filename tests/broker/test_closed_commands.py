"""`fog-broker init`, `enrol`, `revoke` as they are typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.access.join_file import JoinFile
from broker.commands import app


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    return line


@pytest.fixture
def fog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "fog"
    said("init", str(folder), "--site", "home", "--host", "broker.local", "--host", "192.0.2.5")
    return folder


def test_the_way_from_open_to_closed_is_said_step_by_step(fog: Path) -> None:
    again = said("init", f"{fog}-2", "--site", "home")
    assert f"fog-broker run --dir {fog}-2" in again
    assert f"fog-broker enrol node pi-hall --dir {fog}-2" in again
    assert "init with --host NAME" in again
    line = said("enrol", "node", "pi-hall", "--dir", str(fog))
    assert "fog-node run --join pi-hall.join" in line
    joined = JoinFile.read(Path("pi-hall.join"), "node")
    assert joined.broker == "mqtts://broker.local:8883"
    assert (joined.site, joined.id, joined.user) == ("home", "pi-hall", "node/pi-hall")
    assert joined.password not in line
    assert said("revoke", "pi-hall", "--dir", str(fog)).startswith("node pi-hall is revoked")


def test_json_is_for_programs_and_shows_no_secret(fog: Path) -> None:
    made = json.loads(said("init", f"{fog}-2", "--site", "home", "--host", "::1", "--json"))
    assert made["broker"] == "mqtts://[::1]:8883"
    assert len(made["operator_key"]) == 64
    line = said("enrol", "operator", "anna", "--dir", str(fog), "--out", "mine", "--json")
    joined = JoinFile.read(Path("mine"), "operator")
    assert json.loads(line) == {
        "role": "operator",
        "id": "anna",
        "site": "home",
        "broker": "mqtts://broker.local:8883",
        "file": "mine",
    }
    assert joined.password not in line
    gone = json.loads(said("revoke", "anna", "--dir", str(fog), "--json"))
    assert gone == {"role": "operator", "id": "anna", "running": False}


def test_the_coordinator_and_the_operator_are_enrolled_from_the_first(fog: Path) -> None:
    assert JoinFile.read(fog / "coordinator.join", "coordinator").id == "main"
    assert JoinFile.read(fog / "operator.join", "operator").id == "me"


def test_a_join_file_goes_to_its_device_by_a_pipe(fog: Path) -> None:
    joined = JoinFile.model_validate_json(
        said("enrol", "camera", "door", "--dir", str(fog), "--out", "-")
    )
    assert (joined.role, joined.id) == ("camera", "door")
    assert not Path("door.join").exists()


def test_what_cannot_be_done_is_one_line(fog: Path, tmp_path: Path) -> None:
    assert "is there already and stays as it is" in refused("init", str(fog), "--site", "home")
    assert "--host: 'a b' is neither a name nor" in refused(
        "init", "new", "--site", "home", "--host", "a b"
    )
    assert "site: 'No Site' is not an id" in refused("init", "new", "--site", "No Site")
    assert "ID: 'Pi' is not an id" in refused("enrol", "node", "Pi", "--dir", str(fog))
    assert "nobody called pi is enrolled" in refused("revoke", "pi", "--dir", str(fog))
    assert "is not the folder of a closed fog" in refused("revoke", "pi", "--dir", str(tmp_path))
    assert "'admin' is not one of" in refused("enrol", "admin", "x", "--dir", str(fog))
    assert "--port: the join files of" in refused("run", "--dir", str(fog), "--port", "1")
    assert "no access control" in refused("run", "--dir", str(fog), "--engine", "embedded")
    assert not (tmp_path / "new").exists()


def test_the_administrator_is_nobody_to_revoke(fog: Path) -> None:
    assert "nobody called admin is enrolled" in refused("revoke", "admin", "--dir", str(fog))
