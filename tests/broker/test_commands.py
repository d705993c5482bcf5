"""fog-broker as it is typed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from typer.testing import CliRunner

from broker.access.credentials import Credentials
from broker.bus.mqtt import MqttBus
from broker.closed.founding import found
from broker.commands import app
from broker.engine import choice, mosquitto
from broker.engine.address import EngineError
from broker.engine.choice import available_engines, choose_engine
from broker.engine.mosquitto_process import mosquitto_user
from broker.engine.running import RunningBroker, running_broker
from tests.broker.processes import ended, gone, started

SECONDS = 10.0


def refused(*arguments: str) -> str:
    """Return the line that the command says before it ends with 2."""
    result = CliRunner().invoke(app, ["run", *arguments])
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("name", ["auto", "embedded"])
def test_a_busy_port(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = refused("--engine", name, "--host", "127.0.0.1", "--port", str(port))
    assert line == f"error: cannot listen on 127.0.0.1 port {port}: Address already in use"


def test_an_address_of_somebody_else() -> None:
    assert "cannot listen on 192.0.2.1 port" in refused("--host", "192.0.2.1", "--port", "0")


def test_a_name_that_is_no_address() -> None:
    assert "cannot listen on no.such.host.invalid" in refused("--host", "no.such.host.invalid")


def test_a_missing_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto, "_PLACES", ())
    monkeypatch.setenv("PATH", "")
    assert "mosquitto is not on this machine" in refused("--engine", "mosquitto")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "amqtt" in refused("--engine", "embedded")
    assert "there is no broker on this machine" in refused()
    assert available_engines() == []


def test_auto_takes_the_embedded_broker_where_there_is_no_mosquitto(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mosquitto, "_PLACES", ())
    monkeypatch.setenv("PATH", "")
    assert choose_engine("auto").name == "embedded"


def test_settings_are_mosquittos(tmp_path: Path) -> None:
    conf = tmp_path / "mosquitto.conf"
    conf.write_text("", "utf-8")
    assert "no use for" in refused("--engine", "embedded", "--conf", str(conf))


@pytest.mark.parametrize(
    "arguments",
    [["--engine", "hivemq"], ["--port", "99999"], ["--port", "x"], ["--conf", "/no/such"], ["x"]],
)
def test_wrong_arguments_end_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["run", *arguments])
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_the_word_run_is_needed_and_help_is_there() -> None:
    assert CliRunner().invoke(app, ["--engine", "auto"]).exit_code == 2
    text = CliRunner().invoke(app, ["run", "--help"]).stdout
    assert "--engine" in re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_says_what_runs_where(broker_url: str, mosquitto: RunningBroker) -> None:
    assert mosquitto.engine == "mosquitto"
    assert re.fullmatch(r"\d+\.\d+\.\d+", mosquitto.version)
    assert urlsplit(broker_url).hostname == "127.0.0.1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", list(choice.ENGINES))
def test_a_signal_ends_it_cleanly_and_it_says_that_it_is_open_to_this_machine(
    request: pytest.FixtureRequest, name: str, number: signal.Signals
) -> None:
    request.getfixturevalue(name)
    command = [sys.executable, "-m", "broker.commands", "run", "--engine", name, "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        children = psutil.Process(process.pid).children()
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
    assert lines[0].startswith("open: whoever is on this machine may connect and do anything")
    assert re.match(rf"broker ready: {name} \S+ at mqtt://127\.0\.0\.1:\d+$", lines[1])
    assert len(children) == (name == "mosquitto")
    assert not any(child.is_running() for child in children)


def test_an_open_broker_for_the_network_says_so(mosquitto: RunningBroker) -> None:
    assert mosquitto.engine == "mosquitto"
    command = ["-m", "broker.commands", "run", "--port", "0", "--host", "0.0.0.0"]  # noqa: S104
    with started(*command) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert process.stdout.readline().startswith("broker ready: ")
        process.send_signal(signal.SIGTERM)
        code, _, _ = ended(process)
    assert code == 0
    assert re.match(r"open: anyone on the network may connect and do anything, at mqtt://", line)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_mosquitto_starts_ends_both(
    mosquitto: RunningBroker, number: signal.Signals
) -> None:
    assert mosquitto.engine == "mosquitto"
    command = ["-m", "broker.commands", "run", "--port", "0", "--host", "127.0.0.1"]
    with started(*command) as process:
        child = None
        while child is None:
            assert process.poll() is None
            child = _serving_child(process.pid)
        process.send_signal(number)
        code, _, complaints = ended(process)
    assert (code, complaints) == (0, "")
    assert gone([child])


def _serving_child(pid: int) -> psutil.Process | None:
    """Return the Mosquitto that is to serve; one that only tells its version ends soon."""
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "-c" in child.cmdline():
                return child
    return None


def test_mosquitto_ends_with_a_fog_broker_that_is_killed(mosquitto: RunningBroker) -> None:
    assert mosquitto.engine == "mosquitto"
    with running_broker("mosquitto") as broker:
        (child,) = psutil.Process(broker.pid).children()
        os.kill(broker.pid, signal.SIGKILL)
        gone, _ = psutil.wait_procs([child], timeout=SECONDS)
        assert gone or child.status() == psutil.STATUS_ZOMBIE


def test_a_mosquitto_that_dies_is_told_of(mosquitto: RunningBroker) -> None:
    assert mosquitto.engine == "mosquitto"
    command = [sys.executable, "-m", "broker.commands", "run", "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("open: ")
        assert "broker ready: mosquitto" in process.stdout.readline()
        (child,) = psutil.Process(process.pid).children()
        child.kill()
        assert process.wait(SECONDS) == 2
        assert "error: mosquitto ended" in process.stderr.read()


def test_wrong_settings_are_told_of(mosquitto: RunningBroker, tmp_path: Path) -> None:
    assert mosquitto.engine == "mosquitto"
    conf = tmp_path / "mosquitto.conf"
    conf.write_text("# ours\nno_such_setting true\n", "utf-8")
    with pytest.raises(EngineError) as raised, running_broker("mosquitto", conf=conf):
        pass
    assert str(raised.value) == (
        'mosquitto did not start: Unknown configuration variable "no_such_setting"; '
        f"Error found at {conf}:2"
    )


def test_settings_that_cannot_be_read_or_listen_nowhere_are_told_of(tmp_path: Path) -> None:
    conf = tmp_path / "mosquitto.conf"
    conf.write_text("listener 999999\n")
    assert f"{conf}:1: 999999 is no port" in refused("--conf", str(conf))
    conf.write_bytes(b"\xff")
    assert f"{conf}: no text" in refused("--conf", str(conf))
    assert "/dev/zero: more than" in refused("--conf", "/dev/zero")
    # To the kernel it means all addresses: nobody asked for that who left a variable empty.
    assert "--host: names no address" in refused("--host", "")


def test_settings_with_certificates_but_no_listener_are_refused(tmp_path: Path) -> None:
    conf = tmp_path / "mosquitto.conf"
    conf.write_text("allow_anonymous true\ncertfile broker.pem\nkeyfile broker.key\n", "utf-8")
    line = refused("--conf", str(conf))
    assert f"{conf}:2 sets certfile for no listener, and would encrypt nothing" in line


@pytest.fixture
def folder_for_all() -> Iterator[Path]:
    """A folder that Mosquitto may look into, too."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_settings_with_a_listener_are_run_as_they_are(
    mosquitto: RunningBroker, folder_for_all: Path
) -> None:
    assert mosquitto.engine == "mosquitto"
    fog = found(folder_for_all / "fog", "home", [], 8883, datetime.now(UTC))
    fog.folder.chmod(0o755)
    if (user := mosquitto_user()) is not None:
        fog.give_to(*user)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    conf = folder_for_all / "mosquitto.conf"
    conf.write_text(
        f"allow_anonymous true\nlistener {port} 127.0.0.1\n"
        f"certfile {fog.mosquitto}/broker.pem\nkeyfile {fog.mosquitto}/broker.key\n",
        "utf-8",
    )
    assert "leave out --host and --port" in refused("--conf", str(conf), "--port", "0")
    with started("-m", "broker.commands", "run", "--conf", str(conf)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        ready = Credentials(ca=fog.authority_pem)
        MqttBus.connect(f"mqtts://127.0.0.1:{port}", "x", credentials=ready).close()
        process.terminate()
        ended(process)
    assert re.match(rf"broker ready: mosquitto \S+ at mqtts://127\.0\.0\.1:{port}$", line)


def test_a_running_broker_that_cannot_run_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(EngineError, match=f"port {port}: Address already in use"),
            running_broker("auto", port=port),
        ):
            pass


def test_mosquitto_is_never_root(mosquitto: RunningBroker) -> None:
    assert mosquitto.engine == "mosquitto"
    (child,) = psutil.Process(mosquitto.pid).children()
    assert child.uids().effective != 0
    assert child.gids().effective != 0
