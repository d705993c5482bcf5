"""Hostile messages are of every kind, and the same again from the same seed."""

from benchmarks.hostile.mutations import Hostile, Mutator
from broker.bus.seam import Message
from broker.codec import encode_tensor
from broker.messages import Report
from broker.payload import MessageError
from broker.topics import NODE_BEAT, NODE_REPORT, NODE_STATE, TOPICS
from tests.fog_node.scene import tensor, topic_of

SITE = "home"
REPORT = Report(session=1, deployment="digits", epoch=2, status="ready", seconds={"fusion": 0.1})
SEEN = {
    NODE_STATE: [Message(NODE_STATE.at(SITE, node="pi"), b"online")],
    NODE_REPORT: [Message(NODE_REPORT.at(SITE, node="pi"), REPORT.encode())],
    TOPICS[-3]: [Message(topic_of(tensor("input", 1)), encode_tensor(tensor("input", 1), 0.0))],
}


def some(seed: int = 1, number: int = 3000) -> list[Hostile]:
    mutator = Mutator(SEEN, SITE, seed)
    return [mutator.next() for _ in range(number)]


def test_the_same_seed_makes_the_same_messages() -> None:
    assert some(number=200) == some(number=200)
    assert some(seed=2, number=200) != some(number=200)


def test_they_are_on_every_topic_about_real_parts_and_invented_ones() -> None:
    hostile = some()
    for topic in TOPICS:
        assert any(topic.names(each.topic) is not None for each in hostile)
    nodes = {(NODE_BEAT.names(each.topic) or {}).get("node") for each in hostile}
    assert "pi" in nodes
    assert len(nodes) > 3


def test_every_other_one_speaks_as_who_sends_it() -> None:
    mutator = Mutator(SEEN, SITE, 1)
    hostile = [mutator.next({"node": "thief"}) for _ in range(1000)]
    assert sum("/thief/" in each.topic or each.topic.endswith("/thief") for each in hostile) > 400


def test_some_are_retained_some_clear_what_is_and_some_are_almost_right() -> None:
    hostile = some()
    assert {each.retain for each in hostile} == {True, False}
    assert any(each.retain and not each.payload for each in hostile)
    almost = 0
    for each in hostile:
        try:
            almost += Report.decode(each.payload) != REPORT
        except MessageError:
            continue
    assert almost > 10
