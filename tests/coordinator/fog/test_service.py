"""A coordinator on a bus, and what the commands say to it and hear."""

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from broker.bus.inbox import Inbox
from broker.bus.memory import MemoryBroker, MemoryBus
from broker.bus.seam import Bus, Handler, Message, Will
from broker.codec import decode_chunk
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import ArtifactRequest, Status
from broker.topics import (
    ACTIVE,
    COORDINATOR,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_ARTIFACT,
    NODE_GET,
    NODE_INFO,
    SPEC,
    STATUS,
)
from coordinator.fog.actions import Action
from coordinator.fog.client import Client, DeploymentError
from coordinator.fog.controller import Controller
from coordinator.fog.fleet import Fleet
from coordinator.fog.placer import DirectPlacer
from coordinator.fog.service import Service
from models.bundle import Bundle
from tests.coordinator.fog.toys import NAME, SITE, active, artifacts, bundle, info, wish

SECONDS = 20.0


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as running:
        yield running


@contextmanager
def serving(broker: MemoryBroker, folder: Path) -> Iterator[Service]:
    """Run a coordinator until the end of the block."""
    service = Service(SITE, folder, broker.bus(COORDINATOR), DirectPlacer)
    heard: Inbox[Message] = Inbox()
    ear = broker.bus("ear")
    thread = threading.Thread(target=service.run)
    thread.start()
    ear.subscribe(COORDINATOR_STATE.at(SITE), heard.put)
    try:
        said = b""
        while said != b"online":
            message = heard.get(SECONDS)
            assert message is not None
            said = message.payload
        yield service
    finally:
        service.stop()
        thread.join(SECONDS)
        ear.close()


def retained(broker: MemoryBroker) -> dict[str, bytes]:
    """Return what is retained of deployments, by the last two levels of the topic."""
    broker.settle()
    topics = (SPEC, ACTIVE, STATUS)
    stored = [message for topic in topics for message in broker.stored(topic.every(SITE))]
    return {"/".join(message.topic.split("/")[-2:]): message.payload for message in stored}


def leave_an_orphan(broker: MemoryBroker) -> None:
    status = Status(deployment=NAME, revision=1, phase="serving", epoch=7)
    bus = broker.bus("an earlier coordinator")
    bus.publish(ACTIVE.at(SITE, deployment=NAME), active(epoch=7).encode(), retain=True)
    bus.publish(STATUS.at(SITE, deployment=NAME), status.encode(), retain=True)
    broker.settle()


@pytest.mark.parametrize("damage", [b"{", b"\xff", b"[]", b'{"deployments": [{"spec": {}}]}'])
def test_a_damaged_state_is_put_aside_and_said_in_one_line(
    broker: MemoryBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    (tmp_path / "deployments.json").write_bytes(damage)
    with caplog.at_level(logging.ERROR, "fog-coordinator"), serving(broker, tmp_path):
        pass
    (line,) = caplog.messages
    assert f"{tmp_path / 'deployments.json'} is damaged" in line
    assert "\n" not in line
    assert (tmp_path / "deployments.damaged").read_bytes() == damage


def test_messages_that_cannot_be_decoded_are_logged_once(
    broker: MemoryBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = threading.Event()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "could not decode" in record.getMessage():
                said.set()

    logger, ear = logging.getLogger("fog-coordinator"), Ear()
    logger.addHandler(ear)
    try:
        with serving(broker, tmp_path):
            for _ in range(3):
                broker.bus("pi").publish(NODE_INFO.at(SITE, node="pi"), b"garbage")
            assert said.wait(SECONDS)
    finally:
        logger.removeHandler(ear)
    lines = [line for line in caplog.messages if "could not decode" in line]
    assert len(lines) == 1
    assert NODE_INFO.at(SITE, node="pi") in lines[0]


def test_what_an_earlier_coordinator_left_is_shown_and_cleared(
    broker: MemoryBroker, tmp_path: Path
) -> None:
    leave_an_orphan(broker)
    client = Client(broker.bus("command"), SITE)
    assert client.look(0.2).orphans == [NAME]
    with serving(broker, tmp_path):
        Client(broker.bus("another command"), SITE).undeploy(NAME)
        assert retained(broker) == {}
        assert Client(broker.bus("a third"), SITE).look(0.2).orphans == []
        with pytest.raises(DeploymentError, match=f"no deployment {NAME}"):
            Client(broker.bus("a fourth"), SITE).undeploy(NAME)


def test_deploy_hands_the_artifacts_to_the_coordinator_and_to_nobody_else(
    broker: MemoryBroker, tmp_path: Path
) -> None:
    of = bundle()
    (tmp_path / "partitions").mkdir()
    for part in of.partitions:
        (tmp_path / part.file).write_bytes(artifacts(of)[part.sha256])
    pulled: Inbox[Message] = Inbox()
    broker.bus("ear-2").subscribe(NODE_ARTIFACT.at(SITE, node="pi"), pulled.put)
    told: list[Status] = []
    with serving(broker, tmp_path / "state"):
        bus = broker.bus("deploy")
        Client(bus, SITE).deploy(of, tmp_path, NAME, wait_s=None, tell=told.append)
        assert [status.phase for status in told] == ["fetching", "waiting"]
        assert "no fog node is online" in told[-1].reason
        # A node asks while the command still waits: one of the two answers.
        _pull(broker, of.partitions[0].sha256)
        assert pulled.get(SECONDS) is not None
        broker.settle()
    assert len(pulled) == 0


def _pull(broker: MemoryBroker, sha256: str) -> None:
    request = ArtifactRequest(sha256=sha256, offset=0, length=1000)
    broker.bus("pi").publish(NODE_GET.at(SITE, node="pi"), request.encode())
    broker.settle()


# --- what fails around it ---------------------------------------------------------------------


def deploy(broker: MemoryBroker, folder: Path, of: Bundle) -> None:
    """Hand a bundle over, as `deploy` does without `--wait`."""
    (folder / "partitions").mkdir(parents=True)
    for part in of.partitions:
        (folder / part.file).write_bytes(artifacts(of)[part.sha256])
    bus = broker.bus("deploy")
    Client(bus, SITE).deploy(of, folder, NAME, wait_s=None, tell=lambda _: None)
    bus.close()


def redeploy(broker: MemoryBroker, of: Bundle) -> None:
    """Ask for a bundle again, and wait until the coordinator took it up."""
    heard: Inbox[Message] = Inbox()
    bus = broker.bus("redeploy")
    bus.subscribe(STATUS.at(SITE, deployment=NAME), heard.put)
    revision = int(time.time() * 1000)
    again = wish(of, revision=revision)
    bus.publish(again.topic, again.payload, retain=True)
    while (message := heard.get(SECONDS)) is not None:
        status = Status.decode(message.payload)
        if (status.revision, status.phase) == (revision, "waiting"):
            return
    raise AssertionError


def given_to_nodes(broker: MemoryBroker, of: Bundle) -> dict[str, bytes]:
    """Return the artifacts that a fog node gets when it asks for them."""
    heard: Inbox[Message] = Inbox()
    bus = broker.bus("pi")
    bus.subscribe(NODE_ARTIFACT.at(SITE, node="pi"), heard.put)
    given = {}
    for part in of.partitions:
        request = ArtifactRequest(sha256=part.sha256, offset=0, length=part.bytes)
        bus.publish(NODE_GET.at(SITE, node="pi"), request.encode())
        message = heard.get(SECONDS)
        assert message is not None
        chunk = decode_chunk(message.payload)
        given[chunk.sha256] = bytes(chunk.data)
    return given


def test_a_disk_that_takes_nothing_costs_the_copies_on_it_and_no_deployment(
    broker: MemoryBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    of, state = bundle(), tmp_path / "state"
    with serving(broker, state):
        shutil.rmtree(state)
        state.write_text("no folder can be made where a file is")
        deploy(broker, tmp_path / "bundle", of)
        assert given_to_nodes(broker, of) == artifacts(of)
        state.unlink()
        redeploy(broker, of)
        assert NAME in (state / "deployments.json").read_text()
    for part in of.partitions:
        assert (state / "artifacts" / part.sha256).read_bytes() == artifacts(of)[part.sha256]
    complaints = [line for line in caplog.messages if line.startswith("disk failed")]
    assert len(complaints) == 1
    assert str(state) in complaints[0]


def test_a_mistake_in_a_decision_is_logged_once_and_ends_nothing(
    broker: MemoryBroker,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Fleet, "info", broken)
    of = bundle()
    with serving(broker, tmp_path / "state"):
        for _ in range(2):
            broker.bus("pi").publish(NODE_INFO.at(SITE, node="pi"), info("pi").encode())
        deploy(broker, tmp_path / "bundle", of)
    told = [line for line in caplog.messages if "mistake of ours" in line]
    assert told == [f"{NODE_INFO.at(SITE, node='pi')} led to a mistake of ours; going on"]


def test_whatever_ends_it_the_site_reads_offline(
    broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = Controller.tick

    def tick(controller: Controller, now: float) -> list[Action]:
        actions = listening(controller, now)
        if actions:
            raise SystemExit
        return actions

    monkeypatch.setattr(Controller, "tick", tick)
    service = Service(SITE, tmp_path, broker.bus(COORDINATOR), DirectPlacer)
    with pytest.raises(SystemExit):
        service.run()
    broker.settle()
    (state,) = broker.stored(COORDINATOR_STATE.at(SITE))
    assert state.payload == b"offline"


def test_of_two_coordinators_the_second_stands_by_and_takes_over_when_the_first_dies(
    broker: MemoryBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: Inbox[Message] = Inbox()
    broker.bus("ear").subscribe(COORDINATOR_BEAT.at(SITE), heard.put)
    will = Will(COORDINATOR_STATE.at(SITE), b"offline")
    buses = [broker.bus(name, will=will) for name in ("first", "second")]
    services, threads = list[Service](), list[threading.Thread]()

    def start(bus: MemoryBus) -> None:
        services.append(Service(SITE, tmp_path / bus.client_id, bus, DirectPlacer))
        threads.append(threading.Thread(target=services[-1].run))
        threads[-1].start()

    with caplog.at_level(logging.INFO, "fog-coordinator"):
        start(buses[0])
        first = _session(heard)
        start(buses[1])
        while "stands by" not in caplog.text:
            assert _session(heard) == first
        buses[0].kill()
        services[0].stop()
        while (session := _session(heard)) == first:
            pass
        assert session > first
        services[1].stop()
    for thread in threads:
        thread.join(SECONDS)
    assert f"serves site {SITE}" in caplog.messages
    broker.settle()
    (state,) = broker.stored(COORDINATOR_STATE.at(SITE))
    assert state.payload == b"offline"


def _session(heard: Inbox[Message]) -> int:
    """Return the session of whoever beats next."""
    message = heard.get(SECONDS)
    assert message is not None
    return CoordinatorBeat.decode(message.payload).session


class HalfOpenBus:
    """A bus whose connection can be open in one direction only: what it sends arrives, and it hears nothing."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.deaf, self.renewed = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        self._bus.subscribe(
            topic_filter, lambda message: None if self.deaf.is_set() else handler(message)
        )

    def renew(self) -> None:
        self.deaf.clear()
        self.renewed.set()
        self._bus.renew()


def test_a_coordinator_that_does_not_hear_itself_connects_anew(
    broker: MemoryBroker, tmp_path: Path
) -> None:
    heard: Inbox[Message] = Inbox()
    broker.bus("ear").subscribe(COORDINATOR_BEAT.at(SITE), heard.put)
    bus = HalfOpenBus(broker.bus(COORDINATOR))
    service = Service(SITE, tmp_path, cast("Bus", bus), DirectPlacer)
    thread = threading.Thread(target=service.run)
    thread.start()
    _session(heard)
    bus.deaf.set()
    assert bus.renewed.wait(SECONDS)
    _session(heard)  # and goes on
    service.stop()
    thread.join(SECONDS)


def test_a_spec_from_the_far_future_or_one_that_is_none_does_not_keep_anyone_from_deploying(
    broker: MemoryBroker, tmp_path: Path
) -> None:
    of = bundle()
    with serving(broker, tmp_path / "state"):
        for number, poison in enumerate((wish(of, revision=2**53).payload, b"\xff")):
            bus = broker.bus(f"stranger-{number}")
            bus.publish(SPEC.at(SITE, deployment=NAME), poison, retain=True)
            deploy(broker, tmp_path / f"bundle-{number}", of)
