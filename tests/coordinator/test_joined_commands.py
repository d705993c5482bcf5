"""fog-coordinator in a closed fog: join files, and what is not allowed is told instead of waited for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.bus.mqtt import MqttBus
from broker.topics import SPEC
from coordinator.commands import app
from coordinator.demo.processes import Processes
from tests.broker.bus.worlds import SECONDS, Heard
from tests.broker.secured_broker import SITE, SecuredBroker

HOME = f"fog/v2/{SITE}"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments: str, code: int = 1) -> str:
    """Return the one line that a command ends with."""
    status, _, stderr = run(*arguments)
    (line,) = stderr.splitlines()
    assert status == code
    return line


@pytest.fixture
def desk(secured: SecuredBroker) -> Iterator[MqttBus]:
    """Somebody who may hear and say everything."""
    bus = MqttBus.connect(secured.url(), "desk", credentials=secured.credentials("anna"))
    yield bus
    bus.close()


def test_a_coordinator_and_an_operator_need_their_join_files_only(
    secured: SecuredBroker, tmp_path: Path
) -> None:
    file, state = secured.join_file("coordinator", "desk"), tmp_path / "state"
    with Processes(tmp_path) as processes:
        processes.start(
            "desk", "fog-coordinator", "serve", "--join", str(file), "--state-dir", str(state)
        )
        operator = str(secured.join_file("operator", "anna"))
        status: dict[str, object] = {}
        for _ in range(int(SECONDS)):
            code, out, said = run("status", "--join", operator, "--json", "--listen", "1")
            assert (code, said) == (0, "")
            status = json.loads(out)
            if status["coordinator_state"] == "online":
                break
        assert status["coordinator_state"] == "online"
        assert refused("undeploy", "nothing", "--join", operator) == (
            f"error: no deployment nothing in site {SITE}"
        )
        processes.end(["desk"])
        assert processes.code("desk") == 0
        assert "refused" not in processes.log("desk")


def test_what_a_command_may_not_do_is_told_at_once(secured: SecuredBroker, desk: MqttBus) -> None:
    heard, spec = Heard(), SPEC.at(SITE, deployment="digits")
    desk.subscribe(spec, heard)
    desk.publish(spec, b"wanted", retain=True)
    heard.until(b"wanted")
    mute = str(secured.join_file("operator", "mute"))
    line = refused("undeploy", "digits", "--join", mute)
    assert line.startswith(
        f"error: the broker refused the right to write {spec} (Not authorized); "
    )
    desk.publish(spec, b"", retain=True)
    reader = str(secured.join_file("reader", "carl"))
    assert "refused the right to read" in refused("status", "--join", reader)


def test_a_join_file_of_another_role_is_one_line(secured: SecuredBroker) -> None:
    camera = str(secured.join_file("camera", "door"))
    for command in (["status"], ["undeploy", "x"], ["forget", "x"], ["redeploy", "x"], ["serve"]):
        line = refused(*command, "--join", camera, code=2)
        assert "is of a camera; this wants one of a" in line
