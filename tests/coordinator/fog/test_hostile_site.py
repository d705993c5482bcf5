"""A coordinator on a bus that strangers write to: poison that is retained, floods, a thief's memory."""

import logging
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.bus.inbox import Inbox
from broker.bus.memory import MemoryBroker
from broker.bus.seam import Message
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import Beat
from broker.topics import (
    ACTIVE,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_INFO,
    NODE_REPORT,
    SPEC,
    STATUS,
)
from coordinator.fog.deployments import Deployments
from tests.coordinator.fog.test_service import SECONDS, serving
from tests.coordinator.fog.toys import NAME, SITE, bundle, here, wish

ABSURD = (
    b"", b"{", b"\xff" * 100, b"[" * 100_000, b"\x1b[2J", b"1" * 5000,
    b'{"session": 9223372036854775807, "sequence": 1e999}',
)  # fmt: skip


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as made:
        yield made


def pulses(broker: MemoryBroker) -> Inbox[Message]:
    """Return what hears the coordinator's beats."""
    heard: Inbox[Message] = Inbox()
    broker.bus("pulses").subscribe(COORDINATOR_BEAT.at(SITE), heard.put)
    return heard


def next_beat(heard: Inbox[Message]) -> CoordinatorBeat:
    message = heard.get(SECONDS)
    assert message is not None
    return CoordinatorBeat.decode(message.payload)


def test_poison_on_every_retained_topic_ends_no_coordinator_and_neither_does_a_restart_over_it(
    broker: MemoryBroker, tmp_path: Path
) -> None:
    stranger = broker.bus("stranger")
    for number, poison in enumerate(ABSURD):
        for topic in (NODE_INFO, NODE_REPORT, NODE_ASSIGNMENT):
            stranger.publish(topic.at(SITE, node=f"pi-{number}"), poison, retain=True)
        for topic in (SPEC, ACTIVE, STATUS):
            stranger.publish(topic.at(SITE, deployment=f"d-{number}"), poison, retain=True)
        stranger.publish(COORDINATOR_STATE.at(SITE), poison, retain=True)
    heard = pulses(broker)
    for _ in range(2):
        with serving(broker, tmp_path):
            next_beat(heard)  # the first is sent before anything is heard
            counters = next_beat(heard).counters
            assert counters["could_not_decode"] > 0
            assert "raised" not in counters


def test_a_state_that_raises_when_it_is_taken_up_is_put_aside_and_the_next_start_is_clean(
    broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deployments.json").write_bytes(b'{"deployments": []}')
    monkeypatch.setattr(Deployments, "restore", lambda *_: 1 / 0)
    for _ in range(2):
        with serving(broker, tmp_path):
            assert (tmp_path / "deployments.damaged").exists()


def test_a_deployment_that_raises_at_the_start_keeps_no_other_from_being_taken_up(
    broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = broker.bus("stranger")
    poison = wish(bundle(), name="poison")
    stranger.publish(poison.topic, poison.payload, retain=True)
    resumed = Deployments._resume

    def mistaken(self: Deployments, name: str, *told: Any) -> Any:
        return 1 / 0 if name == "poison" else resumed(self, name, *told)

    stranger.publish(wish(bundle()).topic, wish(bundle()).payload, retain=True)
    status: Inbox[Message] = Inbox()
    broker.bus("people").subscribe(STATUS.at(SITE, deployment=NAME), status.put)
    monkeypatch.setattr(Deployments, "_resume", mistaken)
    with serving(broker, tmp_path) as service:
        assert status.get(SECONDS) is not None
        assert service._failures.totals["raised"] == 1


@pytest.mark.parametrize("flood", ["junk", "nodes", "megabytes"])
def test_a_flood_neither_starves_a_real_node_nor_takes_memory(
    broker: MemoryBroker, tmp_path: Path, flood: str
) -> None:
    stranger, pi = broker.bus("stranger"), broker.bus("pi")
    beat = Beat(session=1, sequence=1, epoch=0, load=0, queues={}, counters={})
    with serving(broker, tmp_path) as service:
        for message in here("pi"):
            pi.publish(message.topic, message.payload, retain=True)
        pi.publish(NODE_BEAT.at(SITE, node="pi"), beat.encode())
        broker.settle()
        tracemalloc.start()
        try:
            match flood:
                case "junk":
                    for _ in range(6_000):
                        stranger.publish(NODE_BEAT.at(SITE, node="thief"), b"{}")
                case "nodes":
                    for number in range(6_000):
                        stranger.publish(NODE_BEAT.at(SITE, node=f"n{number}"), beat.encode())
                case "megabytes":
                    large = bytes(2_000_000)
                    for _ in range(60):
                        stranger.publish(NODE_BEAT.at(SITE, node="thief"), large)
            broker.settle(60.0)
            late = beat.model_copy(update={"sequence": 2})
            pi.publish(NODE_BEAT.at(SITE, node="pi"), late.encode())
            broker.settle()
            fleet = service._controller.fleet
            until = threading.Event()
            for _ in range(100):
                known = fleet.nodes.get("pi")
                if known is not None and known.beat == late:
                    break
                until.wait(0.1)
            assert fleet.nodes["pi"].beat == late
            assert len(fleet.nodes) <= 2000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 64 * 1024 * 1024


def test_nothing_that_a_terminal_acts_on_reaches_the_log(
    broker: MemoryBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger, heard = broker.bus("stranger"), pulses(broker)
    with caplog.at_level(logging.INFO), serving(broker, tmp_path):
        stranger.publish(f"fog/v2/{SITE}/node/\x1b[2J\nready/info", b"{}")
        payload = b'{"deployment": "d", "epoch": "\\u001b[2J\\n", "status": "\\u001b]0;owned"}'
        stranger.publish(NODE_REPORT.at(SITE, node="pi"), payload)
        while next_beat(heard).counters.get("could_not_decode", 0) < 2:
            pass
    assert "could not decode" in caplog.text
    assert all(message.isprintable() for message in caplog.messages)
