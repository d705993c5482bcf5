"""What a user runs: real processes on a real broker, a node killed in mid-stream, nothing lost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.messages import Status
from broker.topics import COORDINATOR_STATE, NODE_INFO, RESULT, STATUS
from coordinator.demo.processes import Processes

FRAMES = 120


class Site:
    """A coordinator, three fog nodes, and an ear on the broker."""

    def __init__(self, url: str, site: str, folder: Path) -> None:
        self.folder, self.address = folder, ("--broker", url, "--site", site)
        self.fog = Processes(folder)
        self.bus = MqttBus.connect(url, f"ear-{site}")
        self.heard: Inbox[Message] = Inbox()
        for topic in (COORDINATOR_STATE, NODE_INFO, STATUS, RESULT):
            self.bus.subscribe(topic.every(site), self.heard.put)
        self.statuses: list[Status] = []
        self.nodes: set[str] = set()
        self.coordinator = False
        self.answers = 0

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        program = Path(sys.executable).with_name("fog-coordinator")
        return subprocess.run(
            [program, *arguments, *self.address], capture_output=True, text=True, check=False
        )

    def start_node(self, node: str) -> None:
        self.fog.start(
            node, "fog-node", "run", "--id", node, "--threads", "1", *self.address,
            "--state-dir", str(self.folder / node),
        )  # fmt: skip

    def start_camera(self, camera: str, *arguments: str) -> None:
        self.fog.start(
            camera, "fog-camera", "stream", "--deployment", "digits", "--id", camera,
            *self.address, "--source", "mnist", "--fps", "40", "--json", *arguments,
        )  # fmt: skip

    def listen(self) -> None:
        message = self.heard.get(30.0)
        assert message is not None, "the fog fell silent"
        if RESULT.names(message.topic):
            self.answers += 1
        elif COORDINATOR_STATE.names(message.topic) is not None:
            self.coordinator = True
        elif names := NODE_INFO.names(message.topic):
            self.nodes.add(names["node"])
        elif message.payload:
            self.statuses.append(Status.decode(message.payload))

    def summary(self, camera: str) -> dict[str, Any]:
        code = self.fog.wait(camera, 60.0)
        assert code == 0, self.fog.last_words(camera)
        found: dict[str, Any] = json.loads(self.fog.output(camera))
        return found


@pytest.fixture
def fog(broker_url: str, site: str, tmp_path: Path) -> Iterator[Site]:
    running = Site(broker_url, site, tmp_path)
    try:
        with running.fog:
            running.fog.start(
                "coordinator", "fog-coordinator", "serve", *running.address,
                "--state-dir", str(tmp_path / "coordinator"),
            )  # fmt: skip
            for node in ("pi-a", "pi-b", "pi-c"):
                running.start_node(node)
            while len(running.nodes) < 3 or not running.coordinator:
                running.listen()
            yield running
    finally:
        running.bus.close()


def test_a_stream_outlives_a_redeploy_and_a_killed_node(fog: Site, bundle_dir: Path) -> None:
    deployed = fog.command("deploy", str(bundle_dir), "--name", "digits", "--wait", "--json")
    assert deployed.returncode == 0, deployed.stderr
    first = json.loads(deployed.stdout)
    assert first["phase"] == "serving"

    fog.start_camera("door", "--delivery", "reliable", "--count", str(FRAMES))
    fog.start_camera("yard", "--delivery", "live", "--count", str(FRAMES))
    while fog.answers < FRAMES // 3:
        fog.listen()
    redeployed = fog.command("redeploy", "digits", "--wait", "--json")
    assert redeployed.returncode == 0, redeployed.stderr
    second = json.loads(redeployed.stdout)
    assert second["epoch"] == first["epoch"] + 1

    answers = fog.answers
    while fog.answers < answers + 10:
        fog.listen()
    fog.fog.kill(second["placement"]["branch0-stage0"])
    while not any(s.phase == "serving" and s.epoch == second["epoch"] + 1 for s in fog.statuses):
        fog.listen()

    door, yard = fog.summary("door"), fog.summary("yard")
    assert door["sent"] == door["answered"] == FRAMES
    assert door["mixed_epochs"] == yard["mixed_epochs"] == 0
    assert door["unanswered"] == 0
    assert yard["sent"] + yard["superseded"] == FRAMES
    assert yard["answered"] + yard["lost"] == yard["sent"]

    status = json.loads(fog.command("status", "--json").stdout)
    assert status["coordinator"] is True
    assert {node["node"]: node["online"] for node in status["nodes"]} == {
        node: node != second["placement"]["branch0-stage0"] for node in ("pi-a", "pi-b", "pi-c")
    }
    ended = fog.command("undeploy", "digits")
    assert ended.returncode == 0, ended.stderr
    assert fog.command("redeploy", "digits").returncode == 1
