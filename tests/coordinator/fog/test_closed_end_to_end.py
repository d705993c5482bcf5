"""A closed fog as a user runs it: one join file for each part, under exactly the rights of its role."""

import datetime as dt
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.access.join_file import JoinFile, Role
from broker.access.rights import client_id_of
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.closed.enrolment import enrol, revoke
from broker.closed.founding import found
from broker.engine.running import RunningBroker, running_closed_broker
from broker.messages import Status
from broker.topics import COORDINATOR_STATE, NODE_STATE, RESULT, STATUS
from coordinator.demo.processes import Processes

FRAMES = 60
NODES = ("pi-a", "pi-b", "pi-c")


class ClosedSite:
    """A broker, a coordinator and three fog nodes that were enrolled; a reader listens."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        now = dt.datetime.now(dt.UTC)
        self.folder = folder
        self.closed = found(folder / "fog", "home", ["127.0.0.1"], port, now)
        self.fog = Processes(folder)
        self.heard: Inbox[Message] = Inbox()

    def enrol(self, role: Role, name: str) -> JoinFile:
        return enrol(self.closed, role, name, self.folder / f"{name}.join")

    def bus(self, joined: JoinFile) -> MqttBus:
        client_id = client_id_of("home", joined.role, joined.id)
        return MqttBus.connect(joined.broker, client_id, credentials=joined.credentials)

    def start(self, name: str, command: str, *arguments: str) -> None:
        self.fog.start(name, command, *arguments, "--join", str(self.folder / f"{name}.join"))

    def command(self, who: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        program = Path(sys.executable).with_name("fog-coordinator")
        return subprocess.run(
            [program, *arguments, "--join", str(self.folder / f"{who}.join")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def hear(self) -> Message:
        message = self.heard.get(30.0)
        assert message is not None, "the fog fell silent"
        return message


@pytest.fixture
def site(tmp_path: Path, mosquitto: RunningBroker) -> Iterator[ClosedSite]:
    assert mosquitto.engine == "mosquitto"
    site = ClosedSite(tmp_path)
    for node in NODES:
        site.enrol("node", node)
    site.enrol("coordinator", "main")
    ear = site.enrol("reader", "ear")
    with running_closed_broker(site.closed.folder), site.fog:
        bus = site.bus(ear)
        try:
            for topic in (COORDINATOR_STATE, NODE_STATE, STATUS, RESULT):
                bus.subscribe(topic.every("home"), site.heard.put)
            site.start(
                "main", "fog-coordinator", "serve", "--state-dir", str(tmp_path / "coordinator")
            )
            for node in NODES:
                site.start(
                    node, "fog-node", "run", "--threads", "1", "--state-dir", str(tmp_path / node)
                )
            online: set[str] = set()
            while len(online) < len(NODES) + 1:
                online.add(site.hear().topic)
            yield site
        finally:
            bus.close()


def test_a_stream_outlives_the_revocation_of_a_node_and_no_right_is_missing(
    site: ClosedSite, bundle_dir: Path
) -> None:
    site.enrol("operator", "me")
    site.enrol("reader", "eye")
    site.enrol("camera", "door")
    key = str(site.closed.folder / "operator.key")
    deploy = ("deploy", str(bundle_dir), "--name", "digits", "--key", key, "--wait", "--json")
    deployed = site.command("me", *deploy)
    assert deployed.returncode == 0, deployed.stderr
    first = json.loads(deployed.stdout)

    site.start(
        "door", "fog-camera", "stream", "--deployment", "digits", "--source", "mnist",
        "--fps", "40", "--json", "--delivery", "reliable", "--count", str(FRAMES),
    )  # fmt: skip
    answers = 0
    while answers < FRAMES // 3:
        answers += RESULT.names(site.hear().topic) is not None
    stolen = first["placement"]["branch0-stage0"]
    revoke(site.closed, stolen)
    while not _serves(site.hear(), epoch=first["epoch"] + 1):
        pass
    assert site.fog.wait("door", 60.0) == 0, site.fog.last_words("door")
    door: dict[str, Any] = json.loads(site.fog.output("door"))
    assert door["sent"] == door["answered"] == FRAMES
    assert door["mixed_epochs"] == 0

    status = json.loads(site.command("eye", "status", "--json").stdout)
    assert {node["node"] for node in status["nodes"]} == set(NODES) - {stolen}
    assert status["coordinator"] is True
    for name in ("main", "door", *NODES):
        assert "refused" not in site.fog.log(name) or name == stolen, site.fog.log(name)

    ended = site.command("me", "undeploy", "digits")
    assert ended.returncode == 0, ended.stderr


def test_what_a_role_may_not_do_is_one_line_that_names_the_topic(site: ClosedSite) -> None:
    site.enrol("operator", "me")
    gone = site.bus(site.enrol("node", "ghost"))
    gone.publish(NODE_STATE.at("home", node="ghost"), b"offline", retain=True)
    gone.close()
    while NODE_STATE.names(site.hear().topic) != {"node": "ghost"}:
        pass
    forgotten = site.command("me", "forget", "ghost")
    assert forgotten.returncode == 1
    assert "refused the right to write fog/v2/home/node/ghost/state" in forgotten.stderr
    assert "fog-broker revoke ghost" in forgotten.stderr


def _serves(message: Message, epoch: int) -> bool:
    if STATUS.names(message.topic) is None or not message.payload:
        return False
    status = Status.decode(message.payload)
    return status.phase == "serving" and status.epoch == epoch
