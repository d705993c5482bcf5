"""The state table of coordinator/fog/deployment.py, told as stories."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.actions import Publish, Stop
from broker.bus.seam import Message
from broker.codec import Chunk, encode_chunk
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import OFFLINE, ONLINE, ArtifactRequest
from broker.topics import (
    ACTIVE,
    CLIENT_GIVE,
    COORDINATOR_BEAT,
    COORDINATOR_GET,
    COORDINATOR_STATE,
    NODE_ASSIGNMENT,
    NODE_INFO,
    NODE_STATE,
    SPEC,
    STATUS,
)
from coordinator.fog.actions import Action, Keep
from coordinator.fog.comparison import STEADY_S
from coordinator.fog.penalty import FIRST_S
from coordinator.fog.preparation import PREPARE_PATIENCE_S
from coordinator.fog.requested import PULL_PATIENCE_S
from coordinator.fog.tenure import CONFIRMED, LISTEN_S
from tests.coordinator.fog.desk import Desk, restarted, saved, serving
from tests.coordinator.fog.toys import (
    NAME,
    SITE,
    artifacts,
    bundle,
    gone,
    here,
    info,
    report,
    wish,
)


def asked_for(actions: list[Action]) -> list[ArtifactRequest]:
    return [
        ArtifactRequest.decode(action.payload)
        for action in actions
        if isinstance(action, Publish) and action.topic == COORDINATOR_GET.at(SITE)
    ]


def test_a_deployment_is_fetched_prepared_and_served() -> None:
    of = bundle()
    desk = Desk("a", "b")
    actions = [*desk.hear(wish(of)), *desk.take(desk.controller.tick(desk.now))]
    assert desk.phase == "fetching"
    asked: set[str] = set()
    while requests := asked_for(actions):
        actions = []
        for request in requests:
            asked.add(request.sha256)
            data = artifacts(of)[request.sha256]
            chunk = encode_chunk(Chunk(request.sha256, 0, len(data), data))
            kept = desk.hear(Message(CLIENT_GIVE.at(SITE, client="deploy"), chunk))
            assert Keep(data) in kept
            actions += kept
    assert asked == artifacts(of).keys()
    assert desk.phase == "preparing"
    assert ACTIVE.at(SITE, deployment=NAME) not in desk.said
    desk.ready("a")
    assert desk.phase == "preparing"  # the other one is not ready
    desk.ready("b")
    assert desk.phase == "serving"
    assert desk.active.epoch == desk.assignment("a").epoch == desk.assignment("b").epoch == 1
    assert desk.assignment("a").phase == "serve"


def test_active_is_said_before_the_nodes_drain_the_epoch_before() -> None:
    desk = serving("a", "b")
    topics = [action.topic for action in desk.all if isinstance(action, Publish)]
    active = topics.index(ACTIVE.at(SITE, deployment=NAME))
    served = [i for i, t in enumerate(topics) if t == NODE_ASSIGNMENT.at(SITE, node="a")][-1]
    assert active < served


def test_a_dead_node_is_replaced_while_the_epoch_serves_on() -> None:
    desk = serving("a", "b")
    desk.hear(gone("b"))
    assert desk.phase == "preparing"
    assert desk.active.epoch == 1
    assert set(desk.status.placement.values()) == {"a"}
    desk.ready("a")
    assert desk.active.epoch == 2
    assert desk.assignment("b").partitions == ()  # should it come back, it drains
    assert desk.assignment("b").epoch == 2


def test_a_silent_node_is_a_dead_node() -> None:
    desk = serving("a", "b")
    desk.pass_time(5.0, "a")
    assert set(desk.status.placement.values()) == {"a"}


def test_a_node_that_restarted_has_lost_what_it_had() -> None:
    desk = serving("a", "b")
    desk.hear(*here("b", session=2))
    assert desk.phase == "preparing"
    assert desk.status.epoch == 2


def test_a_node_that_comes_back_causes_no_churn() -> None:
    desk = serving("a", "b")
    desk.hear(gone("b"))
    desk.ready("a")
    desk.hear(*here("b", session=2))
    desk.pass_time(3.0, "a")
    assert desk.active.epoch == 2


def test_a_steady_fleet_on_which_answers_come_much_sooner_is_used() -> None:
    desk = serving("a", of=bundle(macs=50_000_000))
    desk.hear(*here("b"))
    desk.pass_time(STEADY_S - 1, "a", "b")
    assert desk.status.epoch == 1
    desk.pass_time(2.0, "a", "b")
    assert desk.phase == "preparing"
    assert set(desk.status.placement.values()) == {"a", "b"}


def test_a_node_that_fails_is_left_out_with_its_reason() -> None:
    of = bundle()
    desk = Desk("a", "b", stored=of)
    desk.hear(wish(of))
    reason = "partition branch1-stage0 does not fit: 5 bytes are missing"
    desk.hear(report("b", desk.assignment("b"), "failed", reason))
    assert set(desk.status.placement.values()) == {"a"}
    desk.hear(report("a", desk.assignment("a"), "failed", "no room"))
    assert desk.phase == "waiting"
    assert "no room" in desk.status.reason


def test_a_node_that_gives_up_what_it_serves_is_gone_round() -> None:
    desk = serving("a")
    desk.hear(*here("b"))
    told = desk.assignment("a")
    desk.hear(report("a", told, "failed", "partition branch0-stage0: a run did not end"))
    assert desk.phase == "preparing"
    assert set(desk.status.placement.values()) == {"b"}
    desk.hear(report("a", told, "failed", "partition branch0-stage0: a run did not end"))
    desk.ready("b")
    assert (desk.phase, desk.active.epoch) == ("serving", 2)


def test_that_nobody_else_can_take_what_a_node_gave_up_is_told() -> None:
    desk = serving("a")
    desk.hear(report("a", desk.assignment("a"), "failed", "a run did not end"))
    assert desk.phase == "waiting"
    assert "a: a run did not end" in desk.status.reason
    desk.pass_time(FIRST_S, "a")
    assert desk.phase == "preparing"


def test_a_failure_of_another_life_or_epoch_breaks_nothing() -> None:
    desk = serving("a", "b")
    told = desk.assignment("a")
    desk.hear(report("a", told, "failed", "a run did not end", session=7))
    desk.hear(report("a", told.model_copy(update={"epoch": 9}), "failed", "a run did not end"))
    assert (desk.phase, desk.status.epoch) == ("serving", 1)


def test_a_failed_redeploy_leaves_the_serving_epoch_alone() -> None:
    desk = serving("a")
    desk.hear(wish(bundle(), revision=2))
    desk.hear(report("a", desk.assignment("a"), "failed", "no room"))
    assert desk.phase == "waiting"
    assert desk.active.epoch == 1
    desk.hear(*here("b"))
    desk.ready("b")
    assert desk.active.epoch == 3
    assert set(desk.status.placement.values()) == {"b"}


def test_a_node_that_is_never_ready_is_given_up() -> None:
    of = bundle()
    desk = Desk("a", "b", stored=of)
    desk.hear(wish(of))
    desk.ready("a")
    desk.pass_time(PREPARE_PATIENCE_S + 1, "a", "b")
    assert set(desk.status.placement.values()) == {"a"}


def test_a_node_that_still_fetches_is_not_given_up() -> None:
    of = bundle()
    desk = Desk("a", "b", stored=of)
    desk.hear(wish(of))
    desk.pass_time(10 * PREPARE_PATIENCE_S, "a", "b", fetching=True)
    assert (desk.phase, desk.status.epoch) == ("preparing", 1)
    desk.ready("a", "b")
    assert desk.active.epoch == 1


def test_who_was_refused_is_tried_again_later_and_ever_more_rarely() -> None:
    of = bundle()
    desk = Desk("a", stored=of)
    desk.hear(wish(of))
    tried = []
    for _ in range(4):
        tried.append(desk.now)
        desk.hear(report("a", desk.assignment("a"), "failed", "no room"))
        assert desk.phase == "waiting"
        while desk.phase == "waiting":
            desk.pass_time(1.0, "a")
    waits = [late - early for early, late in pairwise(tried)]
    assert waits == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S]
    desk.ready("a")
    desk.hear(wish(of, revision=2))
    desk.hear(report("a", desk.assignment("a"), "failed", "no room"))
    desk.pass_time(FIRST_S, "a")
    assert desk.phase == "preparing"  # who served begins with a clean slate


def test_that_every_node_was_refused_is_told_with_the_reasons() -> None:
    of = bundle()
    desk = Desk("a", "b", stored=of)
    desk.hear(wish(of))
    desk.hear(report("b", desk.assignment("b"), "failed", "no disk"))
    desk.pass_time(PREPARE_PATIENCE_S, "a", "b")
    assert desk.status.reason == (
        "every fog node online was refused, to be tried again later "
        "(a: not ready in time; b: no disk)"
    )


def test_a_coordinator_that_was_held_up_takes_nobody_for_dead() -> None:
    of = bundle()
    desk = Desk("a", "b", stored=of)
    desk.hear(wish(of))
    desk.now += 60.0
    desk.controller.held_up(desk.now, 2.0)
    desk.take(desk.controller.tick(desk.now))
    assert desk.status.epoch == 1
    desk.ready("a", "b")
    assert desk.phase == "serving"


def test_without_nodes_it_waits_and_says_so_once() -> None:
    of = bundle()
    desk = Desk(stored=of)
    desk.hear(wish(of))
    assert desk.phase == "waiting"
    assert "no fog node is online" in desk.status.reason
    assert not [a for a in desk.pass_time(5.0) if isinstance(a, Publish)]
    desk.hear(*here("a"))
    assert desk.phase == "preparing"


def test_nothing_is_decided_before_what_is_retained_has_come() -> None:
    of = bundle()
    desk = Desk(stored=of)
    desk.controller.connected(desk.now)
    desk.hear(wish(of), *here("a"))
    assert NODE_ASSIGNMENT.at(SITE, node="a") not in desk.said
    desk.hear(*here("b"))
    desk.pass_time(LISTEN_S, "a", "b")
    assert set(desk.status.placement.values()) == {"a", "b"}


def test_epochs_go_on_from_what_the_cameras_were_told_last() -> None:
    of = bundle()
    desk = Desk(stored=of)
    before = serving("a").active.model_copy(update={"epoch": 41})
    desk.hear(Message(ACTIVE.at(SITE, deployment=NAME), before.encode()))
    desk.hear(*here("a"), wish(of))
    assert desk.assignment("a").epoch == 42


def test_a_restarted_coordinator_goes_on_without_a_new_epoch() -> None:
    desk = serving("a", "b")
    again = restarted(desk)
    again.hear(*here("a"), *here("b"))
    again.pass_time(LISTEN_S + 1, "a", "b")
    assert again.active == desk.active
    assert again.status.model_copy(update={"since": desk.status.since}) == desk.status
    assert again.assignment("a") == desk.assignment("a")
    again.hear(gone("a"))
    assert again.status.epoch == 2


def test_a_newer_revision_is_not_called_served_before_it_is() -> None:
    # `redeploy --wait` returns when its revision serves, not when the one before still does.
    desk = serving("a", "b")
    desk.places = False
    desk.hear(wish(bundle(), revision=2))
    desk.pass_time(5.0, "a", "b")
    assert (desk.phase, desk.status.revision) != ("serving", 2)


def test_undeploy_retires_the_nodes_and_clears_what_is_retained() -> None:
    desk = serving("a", "b")
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), b""))
    assert desk.assignment("a").phase == desk.assignment("b").phase == "retire"
    assert desk.assignment("a").epoch == 2
    for topic in (SPEC, ACTIVE, STATUS):
        assert desk.said[topic.at(SITE, deployment=NAME)] == b""
    desk.hear(wish(bundle(), revision=9))
    assert desk.assignment("a").epoch == 3


def test_a_bundle_that_makes_no_sense_is_refused_and_the_good_one_serves_on() -> None:
    desk = serving("a")
    good = desk.said[SPEC.at(SITE, deployment=NAME)]
    bad = json.loads(wish(bundle(), revision=2).payload)
    bad["bundle"]["partitions"][0]["sha256"] = "none"
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), json.dumps(bad).encode()))
    assert desk.phase == "failed"
    assert "bundle.partitions.0.sha256" in desk.status.reason
    assert desk.said[SPEC.at(SITE, deployment=NAME)] == good
    assert desk.active.epoch == 1


def test_a_bundle_nobody_supplies_is_refused() -> None:
    desk = Desk("a")
    desk.hear(wish(bundle()))
    desk.pass_time(PULL_PATIENCE_S + 2, "a")
    assert desk.phase == "failed"
    assert desk.said[SPEC.at(SITE, deployment=NAME)] == b""


def test_while_a_new_bundle_is_fetched_a_dead_node_is_still_replaced() -> None:
    desk = serving("a", "b")
    desk.hear(wish(bundle(version="2"), revision=2))
    desk.hear(gone("b"))
    desk.ready("a")
    assert desk.active.epoch == 2
    assert desk.active.bundle.version == "1"


def test_a_later_coordinator_takes_over() -> None:
    desk = Desk()
    for sequence in range(1, CONFIRMED + 1):
        desk.pass_time(1.0)
        pulse = CoordinatorBeat(
            role="coordinator", session=101, sequence=sequence, queues={}, counters={}
        )
        said = desk.hear(Message(COORDINATOR_BEAT.at(SITE), pulse.encode()))
        assert any(isinstance(action, Stop) for action in said) == (sequence == CONFIRMED)


def test_an_old_will_of_its_own_is_contradicted() -> None:
    desk = Desk()
    desk.hear(Message(COORDINATOR_STATE.at(SITE), OFFLINE))
    assert desk.said[COORDINATOR_STATE.at(SITE)] == b"online"


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_what_it_cannot_decode_is_dropped(payload: bytes) -> None:
    desk = Desk("a")
    for topic_filter in desk.controller.subscriptions():
        desk.hear(Message(topic_filter.replace("+", "a"), payload))
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), payload or b"?"))
    assert desk.controller.deployments.get(NAME) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["dies", "comes", "ready", "fails", "time"])
        ),
        max_size=25,
    )
)
@settings(max_examples=25)
def test_whatever_happens_active_names_an_epoch_that_all_its_nodes_were_ready_for(
    story: list[tuple[str, str]],
) -> None:
    desk = serving("a", "b", "c")
    sessions = dict.fromkeys("abc", 1)
    readied: dict[int, set[str]] = {1: {"a", "b", "c"}}
    epochs = [1]
    for node, event in story:
        if event == "dies":
            desk.hear(gone(node))
        elif event == "comes":
            sessions[node] += 1
            desk.hear(*here(node, sessions[node]))
        elif event == "time":
            desk.pass_time(4.0, "a", "b", "c")
        elif NODE_ASSIGNMENT.at(SITE, node=node) in desk.said:
            told = desk.assignment(node)
            status, reason = ("ready", "") if event == "ready" else ("failed", "no")
            if status == "ready":
                readied.setdefault(told.epoch, set()).add(node)
            desk.hear(report(node, told, status, reason, sessions[node]))  # type: ignore[arg-type]
        if desk.active.epoch != epochs[-1]:
            assert desk.active.epoch > epochs[-1]
            epochs.append(desk.active.epoch)
            deployment = desk.controller.deployments.get(NAME)
            assert deployment is not None
            assert deployment.serving is not None
            assert deployment.serving.nodes <= readied[desk.active.epoch]


def test_wishes_that_cross_end_with_the_latest_and_no_echo_starts_them_again() -> None:
    desk = serving("a")
    older, newer = wish(bundle(), revision=2), wish(bundle(), revision=3)
    desk.hear(older, newer, older, newer)
    epoch = desk.status.epoch
    desk.hear(newer, older)
    assert desk.status.epoch == epoch
    assert desk.said[SPEC.at(SITE, deployment=NAME)] == newer.payload


def test_a_restarted_coordinator_does_not_talk_over_a_newer_wish() -> None:
    desk = serving("a")
    again = restarted(desk)
    newer = wish(bundle(), revision=2)
    again.hear(newer, *here("a"))
    again.pass_time(LISTEN_S + 1, "a")
    assert again.said[SPEC.at(SITE, deployment=NAME)] == newer.payload
    assert again.status.revision == 2


def test_a_node_with_a_name_that_no_topic_bears_is_dropped() -> None:
    desk = Desk("a")
    desk.hear(Message(NODE_INFO.at(SITE, node="x y"), info("x").encode()))
    assert list(desk.controller.fleet.nodes) == ["a"]
    assert desk.failures.totals == {"could_not_decode": 1}


# --- several deployments on a node ----------------------------------------------------------


def two_deployments() -> Desk:
    """Return a desk whose one node serves ``digits`` and ``faces``."""
    desk = serving("a")
    desk.hear(wish(bundle(), name="faces"))
    desk.ready("a")
    return desk


def test_a_node_that_restarted_gets_all_of_its_deployments_back() -> None:
    desk = two_deployments()
    told = desk.told("a", desk.hear(*here("a", session=2)))
    assert told[-2:] == [(NAME, 2, "prepare"), ("faces", 2, "prepare")]


def test_a_node_that_was_away_hears_all_that_it_missed() -> None:
    # Both deployments end while the node is cut off: its topic retains the last word only.
    desk = two_deployments()
    desk.hear(gone("a"))
    for name in (NAME, "faces"):
        desk.hear(Message(SPEC.at(SITE, deployment=name), b""))
    told = desk.told("a", desk.hear(Message(NODE_STATE.at(SITE, node="a"), ONLINE)))
    assert (NAME, 2, "retire") in told
    assert desk.assignment("a").deployment == "faces"  # which is retained, and came by itself
    assert desk.told("a", desk.pass_time(2.0, "a")) == []


def test_a_coordinator_that_restarted_tells_a_node_of_all_its_deployments() -> None:
    desk = two_deployments()
    again = restarted(desk)
    told = [
        *desk.told("a", again.hear(*here("a"))),
        *desk.told("a", again.pass_time(LISTEN_S, "a")),
    ]
    assert set(told) >= {(NAME, 1, "serve"), ("faces", 1, "serve")}
    assert again.active.epoch == 1


# --- what is left over ----------------------------------------------------------------------


def test_a_deployment_of_which_nothing_is_known_can_still_be_undeployed() -> None:
    desk = Desk("a", "b")
    orphan = serving("a").active.model_copy(update={"epoch": 7})
    desk.hear(Message(ACTIVE.at(SITE, deployment=NAME), orphan.encode()))
    empty = Message(SPEC.at(SITE, deployment=NAME), b"")
    actions = desk.hear(empty)
    for node in ("a", "b"):
        assert desk.told(node, actions) == [(NAME, 8, "retire")]
    for topic in (ACTIVE, STATUS):
        assert desk.said[topic.at(SITE, deployment=NAME)] == b""
    assert desk.hear(empty) == []  # our own echo


def test_a_refusal_stays_to_be_read_when_its_echo_comes() -> None:
    desk = Desk("a")
    desk.hear(wish(bundle()))
    desk.pass_time(PULL_PATIENCE_S + 2, "a")
    assert desk.hear(Message(SPEC.at(SITE, deployment=NAME), b"")) == []
    assert "partition branch0-stage0: nobody sent the artifact" in desk.status.reason
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), b""))
    assert desk.said[STATUS.at(SITE, deployment=NAME)] == b""


def test_a_coordinator_that_dies_while_a_new_bundle_is_prepared_goes_on_with_both() -> None:
    desk = serving("a")
    new = bundle(branches=3, version="2")
    desk.kept.update(artifacts(new))
    desk.hear(wish(new, revision=2))
    again = restarted(desk)
    again.hear(*here("a"))
    again.pass_time(LISTEN_S, "a")
    assert again.active.bundle.version == "1"
    assert (again.phase, again.status.epoch) == ("preparing", 3)
    again.ready("a")
    assert again.active.bundle.version == "2"


def test_what_is_needed_of_the_artifacts_is_what_serves_and_what_is_wanted() -> None:
    desk = serving("a")
    new = bundle(version="2")
    desk.kept.update(artifacts(new))
    desk.hear(wish(new, revision=2))
    assert saved(desk).artifacts == artifacts(bundle()).keys() | artifacts(new).keys()
    desk.ready("a")
    assert saved(desk).artifacts == artifacts(new).keys()


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        ("deployments", None),
        ("deployments", [None]),
        ("spec", {}),
        ("last_epoch", -1),
        ("serving", {"number": 1}),
        ("placement", {"fusion": "a"}),
        ("bundle", {}),
        ("sessions", ["a"]),
    ],
)
def test_a_state_that_is_damaged_is_refused_whole(what: str, damage: Any) -> None:
    state = json.loads(json.dumps(saved(serving("a")).state))
    (entry,) = state["deployments"]
    for place in (state, entry, entry["serving"], entry["serving"]["layout"]):
        if what in place:
            place[what] = damage
    controller = Desk().controller
    with pytest.raises(ValueError, match=r"."):
        controller.restore(state)
    assert controller.deployments.get(NAME) is None
