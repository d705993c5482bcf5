"""``fog-node`` and ``fog-camera``: one plain line and exit 2 for what is wrong, and light to install."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.codec import decode_tensor
from broker.engine.address import free_port
from broker.engine.running import RunningBroker, running_broker
from broker.messages import ONLINE, Active, BundleName
from broker.messages import Result as Answered
from broker.topics import ACTIVE, FRAME, NODE_STATE, RESULT
from fog_node.commands import camera_app, node_app
from fog_node.source import open_source
from tests.broker.processes import HANGS_S, ended, started
from tests.fog_node.scene import PICTURE
from tests.fog_node.silent_broker import SilentBroker

NODE = "from fog_node.entry import fog_node; fog_node()"
CAMERA = "from fog_node.entry import fog_camera; fog_camera()"
HASTY_NODE = f"""
from broker import ending
from fog_node import namesake
ending.PATIENCE_S, namesake.ECHO_S = 0.2, 0.1
{NODE}
"""


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Give back the signal handlers that a command takes."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def nobody() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"mqtt://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from PIL import Image

    path = tmp_path / "cat" / "1.png"
    path.parent.mkdir()
    Image.new("L", (4, 4), 9).save(path)
    return path


def node(*arguments: str) -> Result:
    return CliRunner().invoke(node_app, ["run", *arguments])


def camera(*arguments: str, source: str = "mnist", name: str = "door") -> Result:
    fixed = ["--deployment", "digits", "--id", name, "--source", source]
    return CliRunner().invoke(camera_app, ["stream", *fixed, *arguments])


def refused(result: Result) -> str:
    """Return the one line that a command ended with."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


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


def test_a_wrong_argument_of_a_camera_is_one_line(picture: Path) -> None:
    source = str(picture)
    assert "id: 'Door' is not an id" in refused(camera(name="Door", source=source))
    assert "not a broker address" in refused(camera("--broker", "x", source=source))
    assert camera("--fps", "0", source=source).exit_code == 2
    assert camera("--delivery", "maybe", source=source).exit_code == 2


def test_the_source_may_come_from_the_environment_where_ps_does_not_show_it() -> None:
    options = ["stream", "--deployment", "digits", "--id", "door", "--broker", "mqtt://127.0.0.1:9"]
    result = CliRunner().invoke(camera_app, options, env={"FOGWEAVE_SOURCE": "/no/such"})
    assert "/no/such: no such file or folder" in refused(result)


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


@pytest.mark.parametrize("option", ["--fps", "--wait"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "-1", "0"])
def test_seconds_and_rates_that_no_clock_knows_are_one_line(
    option: str, value: str, picture: Path
) -> None:
    assert option in refused(camera(f"{option}={value}", source=str(picture)))


@pytest.mark.parametrize("option", ["--count", "--offset"])
def test_more_pictures_than_frames_can_be_numbered_are_one_line(option: str, picture: Path) -> None:
    assert option in refused(camera(option, "9" * 30, source=str(picture)))
    assert option in refused(camera(f"{option}=-1", source=str(picture)))


def test_an_offset_beyond_the_source_goes_round(picture: Path) -> None:
    source = open_source(str(picture), 10**15)
    assert source.next((1, 4, 4)).label == "cat"
    assert open_source("mnist", 10**15).next((1, 28, 28)).label in set("0123456789")


def test_a_broker_that_does_not_come_is_one_line(nobody: str, picture: Path) -> None:
    result = camera("--broker", nobody, "--wait", "0.2", source=str(picture))
    assert (result.exit_code, result.stdout) == (2, "")
    *said, line = result.stderr.splitlines()
    assert line == f"error: no broker at {nobody} (Connection refused); waited 0.2 s"
    assert all(f"no broker at {nobody}" in warning for warning in said)


def test_a_source_that_is_not_there_is_one_line_before_anything_is_asked(
    nobody: str, tmp_path: Path
) -> None:
    line = refused(camera("--broker", nobody, source=str(tmp_path / "missing")))
    assert "missing: no such file or folder" in line
    assert "no pictures in it" in refused(camera("--broker", nobody, source=str(tmp_path)))


def test_a_deployment_that_nobody_serves_is_one_line(
    broker_url: str, site: str, picture: Path
) -> None:
    arguments = ["--broker", broker_url, "--site", site, "--wait", "0.1"]
    line = refused(camera(*arguments, source=str(picture)))
    assert f"nothing serves deployment digits in site {site}" in line


def test_a_log_that_cannot_be_written_is_one_line(
    mosquitto: RunningBroker, picture: Path, tmp_path: Path
) -> None:
    log = tmp_path / "no" / "log"
    arguments = ["--broker", mosquitto.url, "--wait", "0.1", "--log", str(log)]
    assert f"--log {log}: No such file" in refused(camera(*arguments, source=str(picture)))


@contextmanager
def serving(broker_url: str, site: str) -> Iterator[MqttBus]:
    """Serve the deployment: to every frame the answer is cat."""
    bus = MqttBus.connect(broker_url, f"fog-{site}")

    def answer(message: Message) -> None:
        frame = decode_tensor(message.payload, 0.0).header
        result = Answered(
            deployment="digits", camera=frame.camera, frame_id=frame.frame_id, source="",
            label="cat", confidence=1.0, epoch=frame.epoch, missing=(), latency=(),
        )  # fmt: skip
        topic = RESULT.at(site, deployment="digits", camera=frame.camera, node="pi")
        bus.publish(topic, result.encode())

    bus.subscribe(FRAME.every(site, deployment="digits"), answer)
    bundle = BundleName(name="digits", version="1")
    active = Active(
        deployment="digits", epoch=1, bundle=bundle, classes=("cat", "dog"), input=PICTURE,
        fusion=("pi",),
    )  # fmt: skip
    topic = ACTIVE.at(site, deployment="digits")
    bus.publish(topic, active.encode(), retain=True)
    yield bus
    bus.publish(topic, b"", retain=True)
    bus.close()


@pytest.fixture
def fog(broker_url: str, site: str) -> Iterator[MqttBus]:
    with serving(broker_url, site) as bus:
        yield bus


def test_a_camera_streams_and_sums_up_as_json(
    fog: MqttBus, broker_url: str, site: str, picture: Path
) -> None:
    assert fog.connected
    options = ["--fps", "200", "--count", "5", "--delivery", "reliable", "--json"]
    result = camera("--broker", broker_url, "--site", site, *options, source=str(picture))
    assert (result.exit_code, result.stderr) == (0, "")
    summary = json.loads(result.stdout)
    assert (summary["sent"], summary["answered"], summary["accuracy"]) == (5, 5, 1.0)


def test_a_camera_streams_and_sums_up_in_a_line(
    fog: MqttBus, broker_url: str, site: str, picture: Path
) -> None:
    assert fog.connected
    result = camera(
        "--broker", broker_url, "--site", site, "--delivery", "reliable", source=str(picture)
    )
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "door: 1 sent, 1 answered, 0 with a missing branch, 100.0% right"
    )


def test_a_camera_may_be_started_before_the_broker(
    mosquitto: RunningBroker, site: str, picture: Path
) -> None:
    assert mosquitto.engine == "mosquitto"
    port = free_port("127.0.0.1", 0)
    arguments = ["--deployment", "digits", "--id", "door", "--source", str(picture)]
    arguments += ["--broker", f"mqtt://127.0.0.1:{port}", "--site", site, "--delivery", "reliable"]
    with started("-c", CAMERA, "stream", *arguments) as process:
        assert process.stderr is not None
        assert "trying again until it answers" in process.stderr.readline()
        with running_broker("mosquitto", port=port) as broker, serving(broker.url, site):
            code, out, _ = ended(process)
    assert code == 0
    assert out.startswith("door: 1 sent, 1 answered")


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
        "import sys, fog_node.commands, fog_node.node, fog_node.camera; "
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
