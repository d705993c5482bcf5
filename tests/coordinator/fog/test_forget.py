"""`forget` clears what a node that is gone left behind, and nothing of one that is there."""

from collections.abc import Iterator

import pytest

from broker.bus.memory import MemoryBroker
from broker.messages import OFFLINE, ONLINE, Assignment, Beat
from broker.topics import NODE_ASSIGNMENT, NODE_BEAT, NODE_INFO, NODE_STATE
from coordinator.fog import client
from coordinator.fog.client import Client, DeploymentError
from tests.coordinator.fog.toys import NAME, SITE, info


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryBroker]:
    # Nothing beats by itself here, so there is nothing to wait for.
    monkeypatch.setattr(client, "_BEAT_S", 0.2)
    monkeypatch.setattr(client, "SILENT_S", 0.3)
    with MemoryBroker() as running:
        yield running


def leave(broker: MemoryBroker, node: str, state: bytes = OFFLINE) -> None:
    bus = broker.bus(node)
    bus.publish(NODE_STATE.at(SITE, node=node), state, retain=True)
    bus.publish(NODE_INFO.at(SITE, node=node), info(node).encode(), retain=True)
    told = Assignment(deployment=NAME, epoch=1, phase="serve")
    bus.publish(NODE_ASSIGNMENT.at(SITE, node=node), told.encode(), retain=True)
    broker.settle()


def retained_of(broker: MemoryBroker, node: str) -> set[str]:
    broker.settle()
    return {
        message.topic.rsplit("/", 1)[-1]
        for message in broker.stored(f"fog/v2/{SITE}/node/{node}/+")
    }


@pytest.mark.parametrize("state", [OFFLINE, ONLINE])
def test_what_a_node_that_does_not_beat_left_is_cleared(broker: MemoryBroker, state: bytes) -> None:
    leave(broker, "pi-hal", state)
    leave(broker, "pi-hall")
    cleared = Client(broker.bus("command"), SITE).forget("pi-hal")
    assert cleared == ["assignment", "info", "state"]
    assert retained_of(broker, "pi-hal") == set()
    assert retained_of(broker, "pi-hall") == {"assignment", "info", "state"}


@pytest.mark.parametrize("state", [OFFLINE, ONLINE])
def test_a_node_that_beats_is_not_forgotten(broker: MemoryBroker, state: bytes) -> None:
    leave(broker, "pi-hall", state)
    beat = Beat(session=1, sequence=1, epoch=0, load=0.0, queues={}, counters={})
    topic = NODE_BEAT.at(SITE, node="pi-hall")
    node = broker.bus("pi-hall")
    command = broker.bus("command")
    subscribe = command.subscribe

    def and_then_it_beats(topic_filter: str, handler: object) -> None:
        subscribe(topic_filter, handler)  # type: ignore[arg-type]
        if topic_filter == topic:
            node.publish(topic, beat.encode())

    command.subscribe = and_then_it_beats  # type: ignore[method-assign]
    with pytest.raises(DeploymentError, match="pi-hall is online; end it first"):
        Client(command, SITE).forget("pi-hall")
    assert retained_of(broker, "pi-hall") == {"assignment", "info", "state"}


def test_a_node_that_nobody_knows_is_said_to_be_unknown(broker: MemoryBroker) -> None:
    with pytest.raises(DeploymentError, match="no fog node pi-hal in site home"):
        Client(broker.bus("command"), SITE).forget("pi-hal")
