"""``fog-camera run``: cameras of all kinds in one process, a bad one among them, and pictures over MQTT."""

import itertools
import json
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from broker.bus.mqtt import MqttBus
from broker.engine.running import RunningBroker
from fog_node.camera.commands import camera_app
from tests.broker.processes import ended, line, started
from tests.fog_node.camera.served import serving
from tests.fog_node.refusals import refused

CAMERA = "from fog_node.entry import fog_camera; fog_camera()"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cat" / "1.jpg"
    path.parent.mkdir()
    Image.new("L", (8, 8), 9).save(path)
    return path


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "cameras.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_that_is_wrong_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, "cameras: [{id: door, source: mnist}]")
    line = refused(CliRunner().invoke(camera_app, ["run", path]))
    assert line == f"error: {path}: cameras.0.deployments: Field required"
    missing = str(tmp_path / "none.yaml")
    assert "No such file" in refused(CliRunner().invoke(camera_app, ["run", missing]))


def test_cameras_that_come_to_their_end_end_the_command(
    broker_url: str, site: str, tmp_path: Path, picture: Path
) -> None:
    path = written(
        tmp_path,
        f"""
broker: {broker_url}
cameras:
  - {{id: door, source: {picture.parent.name}, deployments: [digits], delivery: reliable, fps: 100, count: 3}}
  - {{id: yard, source: {picture.parent.name}/1.jpg, deployments: [digits], delivery: reliable, fps: 100, count: 2}}
""",
    )
    with serving(broker_url, site):
        result = CliRunner().invoke(camera_app, ["run", path, "--site", site, "--json"])
    assert result.exit_code == 0
    streams = json.loads(result.stdout)["streams"]
    assert {(each["camera"], each["sent"], each["answered"]) for each in streams} == {
        ("door", 3, 3),
        ("yard", 2, 2),
    }


@contextmanager
def publishing(bus: MqttBus, picture: bytes, *topics: str) -> Iterator[None]:
    """Publish pictures, no two alike, until the test has seen enough."""
    enough = threading.Event()

    def publish() -> None:
        for number in itertools.count():
            for topic in topics:
                bus.publish(topic, picture + str(number).encode())
            if enough.wait(0.1):
                return

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def test_a_bad_camera_ends_no_other_and_sigterm_ends_all_with_their_summaries(
    mosquitto: RunningBroker, site: str, tmp_path: Path, picture: Path
) -> None:
    path = written(
        tmp_path,
        f"""
broker: {mosquitto.url}
site: {site}
cameras:
  - {{id: yard, source: missing, deployments: [digits]}}
  - {{source: 'mqtt:{site}/+/cat/snapshot', deployments: [digits]}}
  - {{source: 'mqtt:{site}/+/cat/snapshot/again', deployments: [digits]}}
""",
    )
    topics = [f"{site}/{name}/cat/snapshot" for name in ("Front_Door", "garage")]
    same = f"{site}/yard/cat/snapshot/again"
    with (
        serving(mosquitto.url, site) as fog,
        started("-c", CAMERA, "run", path) as process,
        publishing(fog, picture.read_bytes(), same, *topics),
    ):
        waited, answered = set(topics), list[str]()
        while waited:
            answered.append(line(process))
            waited -= {topic for topic in topics if topic in answered[-1]}
        process.send_signal(signal.SIGTERM)
        code, out, err = ended(process)
    assert code == 0
    assert any(
        re.fullmatch(r"[\d:]+ front-door \(digits\)  cat 100 %  \S+  \d+ ms", each)
        for each in answered
    )
    said = [each.split(",")[0] for each in out.splitlines() if " sent" in each]
    assert {each.partition(" (")[0] for each in said} == {"yard", "front-door", "garage"}
    assert "yard (digits): 0 sent" in said
    assert "missing: no such file or folder" in err
    assert f"{same}: digits has pictures of a camera yard already; left out" in err
