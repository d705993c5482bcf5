"""Who asks the coordinator for artifacts gets what it asked for, once, and holds up no other."""

import threading

from broker.artifact_giving import AGAIN_S, WAITING, GivingInTurn, Repeats
from broker.artifacts import sha256_of
from broker.bus.inbox import Inbox
from broker.bus.memory import MemoryBroker
from broker.bus.seam import Message
from broker.messages import ArtifactRequest
from broker.topics import NODE_ARTIFACT, NODE_GET

DATA = bytes(100_000)
SITE = "home"


def request(offset: int = 0, length: int = 1000) -> ArtifactRequest:
    return ArtifactRequest(sha256=sha256_of(DATA), offset=offset, length=length)


def test_the_same_chunk_is_given_once_in_a_while() -> None:
    repeats = Repeats()
    assert repeats.is_news("pi", request(), 0.0)
    assert not repeats.is_news("pi", request(), AGAIN_S - 0.1)
    assert repeats.is_news("attic", request(), 0.1)
    assert repeats.is_news("pi", request(1000), 0.1)
    assert repeats.is_news("pi", request(), AGAIN_S)


def test_a_node_that_floods_gets_little_and_the_next_one_is_answered_at_once() -> None:
    with MemoryBroker() as broker:
        coordinator, thief, pi = (broker.bus(name) for name in ("coordinator", "thief", "pi"))
        looked, go_on = threading.Event(), threading.Event()

        def find(_sha256: str) -> bytes:
            looked.set()
            assert go_on.wait(20.0)
            return DATA

        giving = GivingInTurn(coordinator, SITE, find)
        answers: Inbox[Message] = Inbox()
        for node in ("thief", "pi"):
            coordinator.subscribe(NODE_ARTIFACT.at(SITE, node=node), answers.put)
        for number in range(2000):
            payload = request(number % 50, 90_000).encode()
            thief.publish(NODE_GET.at(SITE, node="thief"), payload)
        assert looked.wait(20.0)
        broker.settle()
        pi.publish(NODE_GET.at(SITE, node="pi"), request().encode())
        broker.settle()
        go_on.set()
        came: list[str] = []
        while "pi" not in came or len(came) < 3:
            message = answers.get(20.0)
            assert message is not None
            came.append((NODE_ARTIFACT.names(message.topic) or {})["node"])
        assert came.index("pi") <= 2
        giving.close()
        broker.settle()
        while answers.get(0) is not None:
            came.append("thief")
        assert len(came) <= 1 + 1 + WAITING
