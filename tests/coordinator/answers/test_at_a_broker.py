"""At a real Mosquitto: a camera is born to Home Assistant, followed, and gone with its deployment."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from benchmarks.stub_nodes import stub_nodes
from broker.artifacts import answer_coordinator
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.codec import encode_tensor
from broker.engine.running import RunningBroker
from broker.frame import FrameHeader, FrameTensor
from broker.messages import Active, Result, Spec
from broker.topics import (
    ACTIVE,
    CLIENT_ECHO,
    FRAME,
    HOME_ASSISTANT_CONFIG,
    HOME_ASSISTANT_STATUS,
    PICTURE,
    RESULT,
    SPEC,
    STATE,
)
from coordinator.answers.rules import Rules
from coordinator.commands import app
from coordinator.fog.client import Client
from coordinator.fog.placer import DirectPlacer
from coordinator.fog.service import Service
from tests.broker.processes import ended, line, started
from tests.coordinator.answers import home_assistant_rules
from tests.coordinator.fog.toys import NAME, artifacts, bundle

SECONDS = 20.0
COMMAND = "from coordinator.entry import fog_coordinator; fog_coordinator()"


class Ear:
    """Somebody who hears all that a Home Assistant hears."""

    def __init__(self, bus: MqttBus, site: str) -> None:
        self.bus, self.site = bus, site
        self.inbox: Inbox[Message] = Inbox()
        self.filters = [
            HOME_ASSISTANT_CONFIG.under(site).every(site),
            STATE.every(site),
            PICTURE.every(site),
        ]
        for topic_filter in self.filters:
            bus.subscribe(topic_filter, self.inbox.put)

    def until(self, *wanted: tuple[str, Callable[[bytes], bool]]) -> list[bytes]:
        """Return payloads for which these hold, each of a topic that begins so, in any order."""
        found: dict[str, bytes] = {}
        while len(found) < len(wanted):
            message = self.inbox.get(SECONDS)
            assert message is not None
            for start, holds in wanted:
                if message.topic.startswith(start) and holds(message.payload):
                    found[start] = message.payload
        return [found[start] for start, _ in wanted]

    def retained(self) -> list[Message]:
        """Return what is retained of it all."""
        echo = CLIENT_ECHO.at(self.site, client="ear")
        heard: Inbox[Message] = Inbox()
        for topic in (*self.filters, echo):
            self.bus.subscribe(topic, heard.put)
        self.bus.publish(echo, b"")
        found = []
        while (message := heard.get(SECONDS)) is not None and message.topic != echo:
            found.append(message)
        return [message for message in found if message.payload]


@contextmanager
def serving(url: str, site: str, folder: Path) -> Iterator[None]:
    bus = MqttBus.connect(url, f"{site}-coordinator")
    service = Service(site, folder, bus, DirectPlacer, rules=Rules(home_assistant=site))
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield
    finally:
        service.stop()
        thread.join(SECONDS)
        bus.close()


@contextmanager
def camera(bus: MqttBus, site: str, active: Active) -> Iterator[None]:
    """Send frames and answer them for the fusion, each twice, until the end of the block."""
    over = threading.Event()
    names = {"deployment": NAME, "camera": "hall"}

    def send() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            header = FrameHeader(NAME, active.epoch, "hall", number)
            pixels = FrameTensor(header, "input", np.full((1, 1, 4, 4), 9, np.uint8))
            bus.publish(FRAME.at(site, **names), encode_tensor(pixels, 0.0), stream=True)
            result = Result(
                **names, frame_id=number, source="p", label="cat", confidence=0.9,
                epoch=active.epoch, missing=(), latency=(),
            )  # fmt: skip
            topic = RESULT.at(site, **names, node=active.fusion[0])
            for _ in range(2):
                bus.publish(topic, result.encode())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_birth_and_removal(mosquitto: RunningBroker, site: str, tmp_path: Path) -> None:
    url, of = mosquitto.url, bundle()
    with ExitStack() as stack:
        desk, ear_bus = (MqttBus.connect(url, f"{site}-{name}") for name in ("desk", "ear"))
        stack.callback(desk.close)
        stack.callback(ear_bus.close)
        ear, served = Ear(ear_bus, site), Inbox[Message]()
        stack.enter_context(serving(url, site, tmp_path))
        stack.enter_context(stub_nodes(url, site, 1))
        answer_coordinator(desk, site, "desk", artifacts(of).get)
        desk.subscribe(ACTIVE.at(site, deployment=NAME), served.put)
        spec = Spec(deployment=NAME, revision=int(time.time() * 1000), bundle=of.model_dump())
        desk.publish(SPEC.at(site, deployment=NAME), spec.encode(), retain=True)
        named = served.get(SECONDS)
        assert named is not None
        active = Active.decode(named.payload)
        where = ["--broker", url, "--site", site]

        with camera(desk, site, active):
            told, state, _ = ear.until(
                (f"{site}/device/", bool),
                (STATE.at(site, deployment=NAME, camera="hall"), bool),
                (PICTURE.at(site, deployment=NAME, camera="hall"), lambda p: p[:2] == b"\xff\xd8"),
            )
            home_assistant_rules.check(json.loads(told))
            assert json.loads(state)["label"] == "cat"

            with started("-c", COMMAND, "answers", NAME, *where) as process:
                assert "  hall  cat 90 %  p  " in line(process)
                process.send_signal(signal.SIGTERM)
                code, _, said = ended(process)
                assert (code, said) == (0, "")
            found = CliRunner().invoke(app, ["answers", NAME, "--count", "3", "--json", *where])
            frames = [json.loads(each)["frame_id"] for each in found.stdout.splitlines()]
            assert len(set(frames)) == len(frames) == 3

            desk.publish(HOME_ASSISTANT_STATUS.under(site).at(site), b"online")
            ear.until((f"{site}/device/", lambda payload: payload == told))

        Client(desk, site).undeploy(NAME)
        assert ear.retained() == []
        gone = CliRunner().invoke(app, ["answers", NAME, *where])
        assert gone.exit_code == 1
        assert gone.stderr == f"error: no deployment {NAME} in site {site}\n"
