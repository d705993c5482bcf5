"""``fog-camera``: one plain line and exit 2 for what is wrong, and a summary at the end."""

import itertools
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.engine.address import free_port
from broker.engine.running import RunningBroker, running_broker
from broker.topics import FRAME
from fog_node.camera.commands import camera_app
from pictures.framing import WHOLE
from tests.broker.processes import HANGS_S, ended, started
from tests.fog_node.camera.served import serving
from tests.fog_node.refusals import refused
from tests.fog_node.sources.looking import open_source

NODE = "from fog_node.entry import fog_node; fog_node()"
CAMERA = "from fog_node.entry import fog_camera; fog_camera()"
HASTY_NODE = f"""
from broker import ending
from fog_node import namesake
ending.PATIENCE_S, namesake.ECHO_S = 0.2, 0.1
{NODE}
"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from PIL import Image

    path = tmp_path / "cat" / "1.png"
    path.parent.mkdir()
    Image.new("L", (4, 4), 9).save(path)
    return path


def camera(*arguments: str, source: str = "mnist", name: str = "door") -> Result:
    fixed = ["--deployment", "digits", "--id", name, "--source", source]
    return CliRunner().invoke(camera_app, ["stream", *fixed, *arguments])


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
    for source, shape in ((str(picture), (1, 4, 4)), ("mnist", (1, 28, 28))):
        taken = open_source(source, 10**15).take(shape, WHOLE, 0.0)
        assert taken is not None
        assert taken.label in {"cat", *"0123456789"}


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
    answered, summed_up = result.stdout.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d door  cat 100 %  1.png  \d+ ms", answered)
    assert summed_up.startswith("door: 1 sent, 1 answered, 0 with a missing branch, 100.0% right")


def test_a_quiet_camera_says_only_what_it_came_to(
    fog: MqttBus, broker_url: str, site: str, picture: Path
) -> None:
    assert fog.connected
    result = camera("--broker", broker_url, "--site", site, "--quiet", source=str(picture))
    (line,) = result.stdout.splitlines()
    assert line.startswith("door: 1 sent")


def test_one_camera_feeds_two_deployments_of_which_one_may_not_be_served(
    fog: MqttBus, broker_url: str, site: str, picture: Path
) -> None:
    assert fog.connected
    options = ["--deployment", "others", "--wait", "1", "--json", "--count", "3", "--fps", "100"]
    result = camera("--broker", broker_url, "--site", site, *options, source=str(picture))
    assert result.exit_code == 1
    served, others = json.loads(result.stdout)["streams"]
    assert (served["deployment"], served["sent"], served["fault"]) == ("digits", 3, None)
    assert (others["deployment"], others["sent"]) == ("others", 0)
    assert f"nothing serves deployment others in site {site}" in others["fault"]


def test_pictures_over_mqtt_are_answered_one_for_each_that_is_new(
    fog: MqttBus, broker_url: str, site: str, picture: Path
) -> None:
    assert fog.connected
    door, topic = MqttBus.connect(broker_url, f"door-{site}"), f"{site}/door/jpg"
    numbers = itertools.count()

    def publish(_sent: Message | None = None) -> None:
        """Publish the next picture, now that the one before was sent; each comes twice."""
        data = picture.read_bytes() + str(next(numbers)).encode()
        door.publish(topic, data)
        door.publish(topic, data)

    door.subscribe(FRAME.at(site, deployment="digits", camera="door"), publish)
    door.publish(topic, picture.read_bytes(), retain=True)
    assert door.wait_answered(HANGS_S)
    begins = threading.Timer(0.5, publish)
    begins.start()
    options = ["--broker", broker_url, "--site", site, "--fps", "100", "--count", "4", "--json"]
    result = camera(*options, source=f"mqtt:{topic}")
    door.publish(topic, b"", retain=True)
    door.close()
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert (summary["sent"], summary["answered"], summary["retained"]) == (4, 4, 1)
    assert summary["repeated"] >= 3
    assert summary["oldest_s"] <= 0.5


def test_a_source_that_never_gives_a_picture_is_one_line_in_the_end(
    fog: MqttBus, broker_url: str, site: str, nobody: str
) -> None:
    assert fog.connected
    source = nobody.replace("mqtt://", "http://me:secret@")
    options = ["--broker", broker_url, "--site", site, "--wait", "0.3"]
    result = camera(*options, source=source)
    assert refused(result) == "error: door: http://…: Connection refused; waited 0.3 s"


def test_a_folder_is_sent_once_also_where_a_picture_in_it_is_damaged(
    mosquitto: RunningBroker, site: str, picture: Path
) -> None:
    (picture.parent / "2.png").write_bytes(picture.read_bytes()[:-20])
    options = ["--broker", mosquitto.url, "--site", site, "--delivery", "reliable", "--json"]
    with serving(mosquitto.url, site):
        once = camera(*options, "--fps", "100", source=str(picture.parent))
        thrice = camera(*options, "--fps", "100", "--count", "3", source=str(picture.parent))
    sent = [json.loads(each.stdout)["sent"] for each in (once, thrice)]
    assert sent == [1, 3]


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("--fps and --every are two ways", ["--fps", "1", "--every", "1"]),
        ("--deployment: digits is given twice", ["--deployment", "digits"]),
        ("--source-broker is of a source mqtt:", ["--source-broker", "mqtt://x"]),
        ("mqtt:a/#/b: ", ["--source", "mqtt:a/#/b"]),
        ("password in it", ["--source", "mqtt:a", "--source-broker", "mqtt://me:word@x"]),
        ("--source-password-file and", ["--source", "mqtt:a", "--source-password-file", "x"]),
        ("no-such-file: No such file", ["--source", "http://x/", "--source-ca", "no-such-file"]),
    ],
)
def test_what_contradicts_itself_is_one_line(words: str, options: list[str], picture: Path) -> None:
    line = refused(camera(*options, source=str(picture)))
    assert words in line
    assert "word@x" not in line


def test_in_a_closed_fog_pictures_of_others_need_a_broker_of_their_own() -> None:
    """An enrolled user, by hand: what a camera may read is known before anything is asked."""
    result = camera("--user", "camera/door", source="mqtt:frigate/door/cat/snapshot")
    assert "in a closed fog a camera may read no topics but its own" in refused(result)
    options = ["--user", "camera/door", "--source-broker", "mqtt://frigate"]
    assert "a join file is of one" in refused(
        camera(*options, source="mqtt:frigate/+/cat/snapshot")
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
    assert "\ndoor: 1 sent, 1 answered" in out
