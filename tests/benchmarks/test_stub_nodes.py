"""A stub node says what the coordinator waits for, and nothing else."""

import pytest

from benchmarks.stub_nodes import StubNode
from broker.bus.memory import MemoryBroker
from broker.bus.seam import Message
from broker.messages import AssignedPartition, Assignment, Beat, NodeInfo, Phase, Report
from broker.topics import NODE_ASSIGNMENT, NODE_BEAT, NODE_INFO, NODE_REPORT

SITE, NODE = "here", "stub-1"


def assignment(phase: Phase) -> bytes:
    part = AssignedPartition(
        id="branch0-stage0",
        sha256="0" * 64,
        bytes=1,
        memory_bytes=1,
        inputs=("input",),
        outputs=("logits",),
        priority=1.0,
    )
    told = Assignment(deployment="digits", epoch=7, phase=phase, partitions=(part,))
    return told.encode()


@pytest.mark.parametrize(("phase", "reports"), [("prepare", 1), ("serve", 1), ("retire", 0)])
def test_it_beats_and_is_ready_for_whatever_it_is_told(phase: Phase, reports: int) -> None:
    with MemoryBroker() as broker:
        heard: list[Message] = []
        coordinator = broker.bus("coordinator")
        for topic in (NODE_INFO, NODE_BEAT, NODE_REPORT):
            coordinator.subscribe(topic.every(SITE), heard.append)
        stub = StubNode(broker.bus(NODE), SITE, NODE)
        coordinator.publish(NODE_ASSIGNMENT.at(SITE, node=NODE), assignment(phase), retain=True)
        broker.settle()
        stub.beat()
        broker.settle()
    said = [Report.decode(m.payload) for m in heard if NODE_REPORT.names(m.topic)]
    assert [(r.deployment, r.epoch, r.status) for r in said] == [("digits", 7, "ready")] * reports
    (info,) = (NodeInfo.decode(m.payload) for m in heard if NODE_INFO.names(m.topic))
    (beat,) = (Beat.decode(m.payload) for m in heard if NODE_BEAT.names(m.topic))
    assert (info.session, beat.epoch) == (beat.session, 7)
