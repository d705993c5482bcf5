"""What others say, forged, changed and absurd, ends no coordinator and moves none of its deployments."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile.mutations import Mutator
from broker.actions import Publish
from broker.bus.seam import Message
from broker.codec import Chunk, encode_chunk
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import Assignment, Beat, Report
from broker.topics import (
    ACTIVE,
    CLIENT_GIVE,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_GIVE,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    SPEC,
    STATUS,
    Topic,
)
from coordinator.fog.admission import MOST_NODES
from coordinator.fog.deployments import Deployments
from tests.coordinator.fog.desk import Desk, restarted, serving
from tests.coordinator.fog.toys import NAME, SITE, bundle, here, info, report, wish

NOW = 1.8e9


def beat(node: str, **changes: Any) -> Message:
    said = {"session": 1, "sequence": 2, "epoch": 1, "load": 0.1, "queues": {}, "counters": {}}
    return Message(NODE_BEAT.at(SITE, node=node), Beat(**{**said, **changes}).encode())


def overheard(desk: Desk) -> dict[Topic, list[Message]]:
    """Return a real message of every topic that a coordinator hears."""
    chunk = encode_chunk(Chunk("0" * 64, 0, 4, b"data"))
    pulse = CoordinatorBeat(role="coordinator", session=100, sequence=1, queues={}, counters={})
    texts = {"node": "a", "deployment": NAME, "client": "someone"}
    said = {
        topic: [Message(text, desk.said[text])]
        for topic in (ACTIVE, STATUS, NODE_ASSIGNMENT)
        if (text := topic.at(SITE, **texts)) in desk.said
    }
    return {
        **said,
        NODE_STATE: [here("a")[1]],
        NODE_INFO: [here("a")[0]],
        NODE_REPORT: [report("a", desk.assignment("a"))],
        NODE_BEAT: [beat("a", answers={NAME: 3}, missing={NAME: {"branch0-logits": 1}})],
        NODE_GIVE: [Message(NODE_GIVE.at(SITE, node="a"), chunk)],
        CLIENT_GIVE: [Message(CLIENT_GIVE.at(SITE, **texts), chunk)],
        COORDINATOR_BEAT: [Message(COORDINATOR_BEAT.at(SITE), pulse.encode())],
        COORDINATOR_STATE: [Message(COORDINATOR_STATE.at(SITE), b"offline")],
        SPEC: [wish(bundle())],
    }


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_no_changed_message_raises_and_a_restart_over_them_does_not_either(seed: int) -> None:
    desk = serving("a", "b")
    desk.controller.clock(NOW)
    mutator = Mutator(overheard(desk), SITE, seed)
    retained: dict[str, bytes] = {}
    for number in range(120):
        hostile = mutator.next()
        desk.hear(Message(hostile.topic, hostile.payload))
        if hostile.retain:
            retained[hostile.topic] = hostile.payload
        if number % 20 == 0:
            desk.pass_time(1.0, "a", "b")
    again = restarted(desk)
    again.hear(*(Message(topic, payload, retain=True) for topic, payload in retained.items()))
    again.pass_time(6.0, "a", "b")
    assert "raised" not in desk.failures.totals
    assert "raised" not in again.failures.totals


# --- what was found: each of these once ended or stalled a coordinator ------------------------


def test_a_beat_from_the_far_future_makes_no_real_one_old() -> None:
    desk = serving("a", "b")
    desk.controller.clock(NOW)
    desk.hear(beat("a", session=2**53), Message(NODE_INFO.at(SITE, node="a"), info("a", 2**53).encode()))  # fmt: skip
    assert desk.failures.totals["could_not_decode"] == 2
    desk.pass_time(5.0, "a", "b")
    assert (desk.phase, desk.active.epoch) == ("serving", 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 2**53},
        {"epoch": 7},
        {"input": {"name": "input", "shape": [1, 3, 2**50, 2**50], "dtype": "float32"}},
        {"deployment": "another"},
        None,
    ],
)
def test_a_forged_or_cleared_active_is_put_right_within_a_second(changes: Any) -> None:
    desk = serving("a", "b")
    topic = ACTIVE.at(SITE, deployment=NAME)
    ours = desk.said[topic]
    desk.hear(Message(topic, ours))  # our own echo
    forged = b"" if changes is None else json.dumps({**json.loads(ours), **changes}).encode()
    said = [*desk.hear(Message(topic, forged)), *desk.pass_time(1.0, "a", "b")]
    assert Publish(topic, ours, retain=True) in said


def test_an_assignment_that_nobody_gave_ends_on_its_node_and_the_real_one_stands_again() -> None:
    desk = serving("a", "b")
    topic = NODE_ASSIGNMENT.at(SITE, node="a")
    ours = desk.said[topic]
    desk.hear(Message(topic, ours))
    forged = Assignment.decode(ours).model_copy(update={"deployment": "theirs", "epoch": 2**53})
    said = desk.hear(Message(topic, forged.encode()))
    assert desk.told("a", said) == [("theirs", 2**53, "retire"), (NAME, 1, "serve")]
    assert desk.said[topic] == ours


def test_what_a_stolen_node_says_of_what_it_was_not_assigned_changes_nothing() -> None:
    desk = serving("a", "b")
    desk.hear(*here("thief"))
    before = dict(desk.controller.fleet.measured)
    thief = desk.assignment("a").model_copy(update={"epoch": 900})
    for said in (report("thief", thief), report("thief", desk.assignment("a"), "failed", "no")):
        desk.hear(said)
    for number in range(8):
        answers = {NAME: 10**9 * number}
        desk.hear(
            beat(
                "thief",
                sequence=number + 2,
                answers=answers,
                incomplete=answers,
                missing={NAME: {"branch0-logits": 10**9 * number}},
                seconds={NAME: {"branch0": 3000.0}},
            )
        )
        desk.pass_time(1.0, "a", "b", "thief")
    assert desk.controller.fleet.measured == before
    assert desk.controller.watch.traffic.measured(NAME) is None
    assert (desk.phase, desk.active.epoch, desk.status.slow) == ("serving", 1, {})


@pytest.mark.parametrize("seconds", ["1e308", "-1", "1e999"])
def test_a_report_of_absurd_seconds_is_dropped(seconds: str) -> None:
    desk = serving("a", "b")
    said = report("a", desk.assignment("a")).payload.replace(b":0.01", f":{seconds}".encode())
    desk.hear(Message(NODE_REPORT.at(SITE, node="a"), said))
    assert desk.failures.totals["could_not_decode"] == 1


def test_a_spec_that_is_none_gives_way_to_the_last_good_one_or_to_none() -> None:
    desk = serving("a", "b")
    topic = SPEC.at(SITE, deployment=NAME)
    good = wish(bundle()).payload
    macs = json.loads(good)
    macs["bundle"]["partitions"][0]["macs"] = "HUGE"
    absurd = json.dumps(macs).replace('"HUGE"', "1" + "0" * 400).encode()
    desk.hear(Message(topic, absurd))
    assert desk.said[topic] == good
    elsewhere = SPEC.at(SITE, deployment="theirs")
    desk.hear(Message(elsewhere, b"\xff"))
    assert desk.said[elsewhere] == b""
    assert desk.hear(Message(elsewhere, b"")) == []  # our own echo


def test_a_revision_from_the_far_future_does_not_make_every_later_one_old() -> None:
    desk = serving("a", "b")
    desk.controller.clock(NOW)
    desk.hear(wish(bundle(), revision=2**53))
    desk.hear(wish(bundle(), revision=int(NOW * 1000)))
    assert desk.status.revision == int(NOW * 1000)


def test_twenty_thousand_invented_nodes_leave_room_for_the_real_ones() -> None:
    desk = serving("a", "b")
    desk.pass_time(1.0, "a", "b")
    for number in range(3 * MOST_NODES):
        desk.controller.handle(here(f"invented-{number}")[0], desk.now, more=True)
    fleet = desk.controller.fleet
    assert len(fleet.nodes) == MOST_NODES
    assert {"a", "b"} <= fleet.nodes.keys()
    desk.now += 4000.0  # an hour
    desk.pass_time(1.0, "a", "b")
    assert set(fleet.nodes) <= {"a", "b"}


def test_two_hundred_specs_that_nobody_supplies_hold_up_no_real_one() -> None:
    desk = Desk("a", "b")
    for number in range(200):
        desk.hear(wish(bundle(version="9"), name=f"bogus-{number}"))
    desk.kept.clear()
    desk.hear(wish(bundle()))
    asked = [
        message.payload
        for message in desk.pass_time(0.5, "a", "b") + desk.all
        if isinstance(message, Publish) and message.topic.endswith("coordinator/get")
    ]
    hashes = {part.sha256 for part in bundle().partitions}
    assert hashes & {json.loads(payload)["sha256"] for payload in asked}


# --- the last line of defence -----------------------------------------------------------------


def test_a_message_that_leads_to_a_mistake_of_ours_is_counted_once_and_then_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = serving("a", "b")
    poison = report("a", desk.assignment("a"), reason="poison")
    taken = Deployments.reported

    def mistaken(self: Deployments, node: str, said: Report, now: float) -> Any:
        if said.reason == "poison":
            raise ZeroDivisionError
        return taken(self, node, said, now)

    monkeypatch.setattr(Deployments, "reported", mistaken)
    for _ in range(5):
        assert desk.hear(poison) == []
    assert desk.failures.totals["raised"] == 1
    desk.hear(report("a", desk.assignment("a")))
    assert desk.failures.totals["raised"] == 1


def test_a_deployment_that_raises_is_left_alone_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = serving("a", "b")
    other = bundle(version="2")
    poisoned = desk.controller.deployments.get(NAME)
    assert poisoned is not None
    monkeypatch.setattr(poisoned, "step", lambda _known, _now: 1 / 0)
    desk.kept.update({p.sha256: bytes(p.bytes) for p in other.partitions})
    desk.hear(wish(other, name="other"))
    desk.pass_time(3.0, "a", "b")
    assert desk.failures.totals["raised"] == 1
    assert desk.controller.deployments.get("other") is not None
    monkeypatch.undo()
    desk.pass_time(70.0, "a", "b")
    assert desk.failures.totals["raised"] == 1
