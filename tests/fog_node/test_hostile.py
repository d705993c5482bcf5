"""A node is assigned what strangers make: it refuses or ends it in one line, and the others lose nothing."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from broker.artifact_giving import answer_nodes
from broker.artifacts import sha256_of
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.codec import encode_tensor
from broker.engine.running import RunningBroker
from broker.frame import FrameHeader, FrameTensor
from broker.graph.check import Needs
from broker.messages import Report
from broker.topics import FRAME, NODE_ASSIGNMENT, NODE_REPORT
from fog_node import loader, runner, surrender, watchdog
from fog_node.camera.camera import Camera
from fog_node.camera.settings import CameraSettings
from fog_node.sources.finite import FiniteSource
from tests.broker.processes import HANGS_S, Process, ended, line, started
from tests.fog_node.hostile_models import HOSTILE
from tests.fog_node.scene import DEPLOYMENT, LEFT, SITE, assignment
from tests.fog_node.small_site import SECONDS, Site
from tests.fog_node.test_node import pictures, serve_on_one

HOSTILE_NAME = "hostile"


class Stranger:
    """Deploys hostile files on a node, and hears what becomes of each."""

    def __init__(self, site: Site, node: str) -> None:
        self._site, self._node = site, node
        self._epoch = 0
        self._reports: Inbox[Message] = Inbox()
        site.bus.subscribe(NODE_REPORT.at(SITE, node=node), self._reports.put)

    def deploy(self, data: bytes, status: str = "failed") -> Report:
        """Assign an artifact; wait for a report of this status."""
        self._epoch += 1
        self._site.artifacts[sha256_of(data)] = data
        part = LEFT.model_copy(
            update={"sha256": sha256_of(data), "bytes": len(data), "memory_bytes": 2**19}
        )
        told = assignment(
            self._epoch, part, deployment=HOSTILE_NAME, phase="serve", outputs=("left",)
        )
        self._site.assign(self._node, told)
        return self.report(status)

    def report(self, status: str) -> Report:
        """Wait for a report on the last that was deployed."""
        while True:
            said = self._reports.get(SECONDS)
            assert said is not None, "nothing is reported"
            report = Report.decode(said.payload)
            if (report.deployment, report.epoch) != (HOSTILE_NAME, self._epoch):
                continue
            if report.status in ("failed", status):
                assert report.status == status
                return report

    def send(self, value: float) -> None:
        """Send a picture of this brightness, from 0 to 1."""
        header = FrameHeader(deployment=HOSTILE_NAME, epoch=self._epoch, camera="door", frame_id=1)
        picture = FrameTensor(header, "input", np.full((1, 1, 2, 2), value * 255, np.uint8))
        topic = FRAME.at(SITE, deployment=HOSTILE_NAME, camera="door")
        self._site.bus.publish(topic, encode_tensor(picture, 0.0))


class Watcher:
    """A camera of another deployment on the same node, from its first frame to its last."""

    def __init__(self, site: Site) -> None:
        self._active = site.activate(1)
        self._bus = site.broker.bus("camera-watcher")
        self._over = threading.Event()
        self.summaries: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        settings = CameraSettings(DEPLOYMENT, "watcher", SITE, 100.0, "reliable", SECONDS)
        camera, source = Camera(settings, self._bus), FiniteSource(pictures(), None)
        while not self._over.is_set():
            self.summaries.append(camera.run(source, self._active, count=10))
        self._bus.close()

    def lost_nothing(self) -> bool:
        """End the stream; return whether every frame had a right and complete answer."""
        self._over.set()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        names = ("sent", "answered", "incomplete", "accuracy")
        return {tuple(each[name] for name in names) for each in self.summaries} == {(10, 10, 0, 1)}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


def test_every_hostile_file_is_refused_and_the_others_lose_no_answer(home: Site) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    watcher, stranger = Watcher(home), Stranger(home, "pi")
    for name, build in HOSTILE.items():
        reason = stranger.deploy(build()).reason
        assert reason.startswith(f"partition {LEFT.id}: "), name
        assert "\n" not in reason
        assert len(reason) < 400
    assert watcher.lost_nothing()


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of graphs lets everything pass, and patience is short: the next line of defence."""
    monkeypatch.setattr(loader, "check_graph", lambda *_: Needs({}, {}, 0, 0))
    monkeypatch.setattr(loader, "_LOAD_S", 0.2)
    monkeypatch.setattr(runner, "_LEAST_LIMIT_S", 0.2)
    monkeypatch.setattr(watchdog, "POLL_S", 0.02)


@pytest.mark.usefixtures("unchecked")
def test_a_measurement_that_does_not_end_is_ended_and_not_begun_again(home: Site) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    watcher, stranger = Watcher(home), Stranger(home, "pi")
    endless = HOSTILE["endless_loop"]()
    assert stranger.deploy(endless).reason == f"partition {LEFT.id}: did not end within 0.2 s"
    assert "; left alone for " in stranger.deploy(endless).reason
    assert watcher.lost_nothing()


@pytest.mark.usefixtures("unchecked")
def test_a_run_that_does_not_end_is_ended_and_its_partition_given_up(home: Site) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    watcher, stranger = Watcher(home), Stranger(home, "pi")
    stranger.deploy(HOSTILE["loop_that_ends_on_zeros_only"](), "ready")
    stranger.send(1.0)
    said = stranger.report("failed").reason
    assert said == f"partition {LEFT.id}: a run did not end within 0.2 s"
    assert home.beat("pi", "overran").counters["overran"] == 1
    stranger.send(1.0)  # nobody hears it any more
    assert watcher.lost_nothing()


# --- in a process of its own -----------------------------------------------------------------

UNCHECKED_NODE = """
from broker.graph.check import Needs
from fog_node import loader, runner, watchdog
from fog_node.entry import fog_node
loader.check_graph = lambda *_: Needs({{}}, {{}}, 0, 0)
loader._LOAD_S = runner._LEAST_LIMIT_S = {limit}
watchdog.GRACE_S = 0.1
fog_node()
"""


class Fog:
    """A site at a real broker: the stranger's part, for a node in a process of its own."""

    def __init__(self, url: str, site: str, folder: Path) -> None:
        self._url, self._site, self._folder = url, site, folder
        self.bus = MqttBus.connect(url, f"stranger-{site}")
        self._said: Inbox[Message] = Inbox()
        self._artifacts: dict[str, bytes] = {}
        self.bus.subscribe(NODE_REPORT.at(site, node="pi"), self._said.put)
        answer_nodes(self.bus, site, self._artifacts.get)

    def node(self, limit: float) -> AbstractContextManager[Process]:
        options = ["--id", "pi", "--broker", self._url, "--site", self._site, "--threads", "1"]
        options += ["--state-dir", str(self._folder)]
        return started("-c", UNCHECKED_NODE.format(limit=limit), "run", *options)

    def assign(self, data: bytes) -> None:
        self._artifacts[sha256_of(data)] = data
        update = {"sha256": sha256_of(data), "bytes": len(data), "memory_bytes": 2**19}
        told = assignment(1, LEFT.model_copy(update=update), phase="serve")
        self.bus.publish(NODE_ASSIGNMENT.at(self._site, node="pi"), told.encode(), retain=True)

    def picture(self) -> None:
        header = FrameHeader(deployment=DEPLOYMENT, epoch=1, camera="door", frame_id=1)
        bright = FrameTensor(header, "input", np.full((1, 1, 2, 2), 255, np.uint8))
        topic = FRAME.at(self._site, deployment=DEPLOYMENT, camera="door")
        self.bus.publish(topic, encode_tensor(bright, 0.0))

    def blamed(self) -> list[str]:
        """Return the artifacts that the node took note of as loaded without an end."""
        path = self._folder / "quarantine.json"
        return list(json.loads(path.read_bytes())) if path.exists() else []

    def report(self, status: str) -> Report:
        while True:
            said = self._said.get(HANGS_S)
            assert said is not None, "nothing is reported"
            if (report := Report.decode(said.payload)).status == status:
                return report


@pytest.fixture
def fog(mosquitto: RunningBroker, site: str, tmp_path: Path) -> Iterator[Fog]:
    fog = Fog(mosquitto.url, site, tmp_path / "state")
    yield fog
    fog.bus.close()


NEVER = 1e6


@pytest.mark.parametrize("name", ["endless_loop", "huge_matrix_product"])
def test_a_node_that_loads_without_an_end_ends_when_told(fog: Fog, name: str) -> None:
    with fog.node(limit=NEVER) as process:
        assert "ready" in line(process)
        fog.assign(HOSTILE[name]())
        assert fog.report("fetched").epoch == 1
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")
    assert not fog.blamed()


def test_a_node_that_runs_without_an_end_ends_when_told(fog: Fog) -> None:
    with fog.node(limit=NEVER) as process:
        assert "ready" in line(process)
        fog.assign(HOSTILE["loop_that_ends_on_zeros_only"]())
        fog.report("ready")
        fog.picture()
        busy = psutil.Process(process.pid)
        used = sum(busy.cpu_times()[:2])
        while sum(busy.cpu_times()[:2]) < used + 0.3:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")


def test_what_cannot_be_ended_takes_the_process_with_it_and_is_not_loaded_again(fog: Fog) -> None:
    with fog.node(limit=0.1) as process:
        assert "ready" in line(process)
        fog.assign(HOSTILE["huge_matrix_product"]())
        code, _, said = ended(process)
    assert code == surrender.EXIT_CODE
    assert said.endswith(" and cannot be ended; the fog node ends\n")
    assert len(said.splitlines()) == 1
    with fog.node(limit=NEVER) as again:
        assert "ready" in line(again)
        reason = fog.report("failed").reason
        again.send_signal(signal.SIGTERM)
        assert ended(again)[0] == 0
    assert "and not when it was told; left alone for " in reason
