"""``fog-node``: one plain line and exit 2 for what is wrong, and light to install."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.engine.running import RunningBroker
from broker.messages import ONLINE
from broker.topics import NODE_STATE
from fog_node.commands import node_app
from tests.broker.processes import HANGS_S, ended, started
from tests.fog_node.refusals import refused
from tests.fog_node.silent_broker import SilentBroker

NODE = "from fog_node.entry import fog_node; fog_node()"
CAMERA = "from fog_node.entry import fog_camera; fog_camera()"
HASTY_NODE = f"""
from broker import ending
from fog_node import namesake
ending.PATIENCE_S, namesake.ECHO_S = 0.2, 0.1
{NODE}
"""


def node(*arguments: str) -> Result:
    return CliRunner().invoke(node_app, ["run", *arguments])


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("id: 'Pi' is not an id", ["--id", "Pi"]),
        ("id: 'a/b' is not an id", ["--id", "a/b"]),
        ("site: '' is not an id", ["--id", "pi", "--site", ""]),
        ("'localhost' is not a broker address", ["--id", "pi", "--broker", "localhost"]),
        ("'http://x' is not a broker address", ["--id", "pi", "--broker", "http://x"]),
        ("'mqtt://x:99999' is not a broker address", ["--id", "pi", "--broker", "mqtt://x:99999"]),
    ],
)
def test_a_wrong_argument_of_a_node_is_one_line(words: str, arguments: list[str]) -> None:
    assert words in refused(node(*arguments))


@pytest.mark.parametrize("arguments", [[], ["--id", "pi", "--threads", "0"], ["--id"]])
def test_what_typer_refuses_is_exit_2(arguments: list[str]) -> None:
    assert node(*arguments).exit_code == 2


def test_a_state_folder_that_is_none_is_one_line(mosquitto: RunningBroker, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder", encoding="ascii")
    line = refused(node("--id", "pi", "--broker", mosquitto.url, "--state-dir", str(file)))
    assert line.startswith(f"error: --state-dir {file}: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--threads", "1000000"),
        ("--threads", "nan"),
        ("--memory-mb", "9" * 30),
        ("--memory-mb", "0"),
    ],
)
def test_a_number_of_a_node_that_no_device_has_is_one_line(option: str, value: str) -> None:
    assert option in refused(node("--id", "pi", option, value))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_node_that_waits_for_the_broker_ends_when_told(
    nobody: str, tmp_path: Path, number: signal.Signals
) -> None:
    options = ["--id", "pi", "--broker", nobody, "--state-dir", str(tmp_path)]
    with started("-c", NODE, "run", *options) as process:
        assert process.stderr is not None
        assert "trying again until it answers" in process.stderr.readline()
        process.send_signal(number)
        assert ended(process) == (0, "", "")


def test_a_node_that_measures_ends_when_told(tmp_path: Path) -> None:
    """Its broker takes everything and delivers nothing, so that its echoes time out."""
    with SilentBroker() as broker:
        options = ["--id", "pi", "--broker", broker.url, "--state-dir", str(tmp_path)]
        with started("-c", HASTY_NODE, "run", *options) as process:
            assert broker.measured.wait(HANGS_S)
            process.send_signal(signal.SIGTERM)
            assert ended(process) == (0, "", "")


def test_a_node_joins_serves_and_leaves_when_told(
    broker_url: str, site: str, tmp_path: Path
) -> None:
    states: Inbox[Message] = Inbox()
    bus = MqttBus.connect(broker_url, f"test-{site}")
    bus.subscribe(NODE_STATE.at(site, node=f"n-{site}"), states.put)
    options = ["--id", f"n-{site}", "--broker", broker_url, "--site", site]
    with started("-c", NODE, "run", *options, "--state-dir", str(tmp_path / "state")) as process:
        came = states.get(HANGS_S)
        process.send_signal(signal.SIGTERM)
        code, output, complaints = ended(process)
    went = states.get(HANGS_S)
    bus.close()
    assert came is not None
    assert went is not None
    assert (came.payload, went.payload) == (ONLINE, b"offline")
    assert output.startswith(f"fog-node n-{site} ready: ")
    assert (code, complaints) == (0, "")


def test_a_fog_node_needs_neither_torch_nor_onnx_nor_what_uses_them() -> None:
    heavy = "torch onnx onnxscript models evolution coordinator matplotlib mlxtend amqtt cv2"
    code = (
        "import sys, fog_node.commands, fog_node.node, fog_node.camera.commands; "
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
