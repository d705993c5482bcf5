"""A coordinator that knows nothing finds on the site all that it needs; two of them end up as one."""

from broker.actions import Publish, Stop
from broker.artifacts import sha256_of
from broker.bus.seam import Message
from broker.codec import Chunk, encode_chunk
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import OFFLINE, ArtifactRequest, Assignment
from broker.topics import (
    ACTIVE,
    COORDINATOR_BEAT,
    COORDINATOR_GET,
    COORDINATOR_STATE,
    NODE_ASSIGNMENT,
    NODE_GIVE,
    SPEC,
    STATUS,
)
from coordinator.fog.actions import Action
from coordinator.fog.controller import DEAF_S, UNSURE_S
from coordinator.fog.requested import PULL_PATIENCE_S
from coordinator.fog.tenure import CONFIRMED, LISTEN_S, SILENT_S
from models.bundle import Bundle
from tests.coordinator.fog.desk import Desk, restarted, saved, serving
from tests.coordinator.fog.toys import NAME, SITE, artifacts, bundle, gone, here, report, wish


def retained(desk: Desk) -> list[Message]:
    """Return what a site retains of a coordinator."""
    return [
        Message(topic, payload, retain=True)
        for topic, payload in desk.said.items()
        if topic != COORDINATOR_BEAT.at(SITE) and payload
    ]


def beat(session: int, sequence: int = 1) -> Message:
    pulse = CoordinatorBeat(
        role="coordinator", session=session, sequence=sequence, queues={}, counters={}
    )
    return Message(COORDINATOR_BEAT.at(SITE), pulse.encode())


def newcomer(before: Desk, *alive: str, session: int = 101, folder: Bundle | None = None) -> Desk:
    """Return a coordinator with an empty folder on the site of another one; it still listens."""
    desk = Desk(stored=folder, acts=False, session=session)
    desk.hear(*(message for node in alive for message in here(node)), *retained(before))
    desk.hear(*(report(node, before.assignment(node)) for node in alive))
    return desk


def assigned(actions: list[Action]) -> list[Assignment]:
    topics = {NODE_ASSIGNMENT.at(SITE, node=node) for node in "abcd"}
    return [
        Assignment.decode(action.payload)
        for action in actions
        if isinstance(action, Publish) and action.topic in topics
    ]


def requested(actions: list[Action]) -> list[ArtifactRequest]:
    return [
        ArtifactRequest.decode(action.payload)
        for action in actions
        if isinstance(action, Publish) and action.topic == COORDINATOR_GET.at(SITE)
    ]


# --- an empty folder --------------------------------------------------------------------------


def test_what_serves_goes_on_in_the_same_epoch() -> None:
    before = serving("a", "b")
    desk = newcomer(before, "a", "b")
    actions = desk.pass_time(LISTEN_S + SILENT_S, "a", "b")
    assert desk.active == before.active
    assert desk.status.placement == before.status.placement
    assert desk.phase == "serving"
    # What the nodes are told is what they know.
    assert {told.epoch for told in assigned(actions)} == {1}
    for node in ("a", "b"):
        assert desk.assignment(node) == before.assignment(node)


def test_what_its_partitions_should_take_is_known_from_the_reports() -> None:
    # Else a node that becomes slow would go unnoticed until something is placed anew.
    before = serving("a", "b")
    desk = newcomer(before, "a", "b")
    desk.pass_time(LISTEN_S + SILENT_S, "a", "b")
    deployment = desk.controller.deployments.get(NAME)
    assert deployment is not None
    assert deployment.serving is not None
    assert deployment.serving.served().expected_s == dict.fromkeys(before.status.placement, 0.01)


def test_its_deaths_are_repaired() -> None:
    desk = newcomer(serving("a", "b"), "a", "b")
    desk.pass_time(LISTEN_S + SILENT_S, "a", "b")
    desk.hear(gone("b"))
    assert set(desk.status.placement.values()) == {"a"}
    desk.ready("a")
    assert desk.active.epoch == 2


def test_who_died_unnoticed_is_replaced_at_once() -> None:
    desk = newcomer(serving("a", "b"), "a")
    desk.pass_time(LISTEN_S + SILENT_S, "a")
    desk.ready("a")
    assert (desk.phase, desk.active.epoch) == ("serving", 2)


def test_its_artifacts_come_from_the_nodes_that_were_assigned_them() -> None:
    of = bundle()
    before = serving("a", "b", of=of)
    desk = newcomer(before, "a", "b")
    actions = desk.pass_time(LISTEN_S + SILENT_S, "a", "b")
    for _ in range(10):
        for request in requested(actions):
            if request.holder:
                theirs = {part.sha256 for part in before.assignment(request.holder).partitions}
                assert request.sha256 in theirs
                data = artifacts(of)[request.sha256]
                chunk = encode_chunk(Chunk(request.sha256, 0, len(data), data))
                desk.hear(Message(NODE_GIVE.at(SITE, node=request.holder), chunk))
        actions = desk.pass_time(1.0, "a", "b")
    assert desk.kept == artifacts(of)


def test_a_holder_that_does_not_answer_is_not_the_only_one_asked() -> None:
    desk = newcomer(serving("a", "b"), "a", "b")
    holders: dict[str, set[str]] = {}
    for request in requested(desk.pass_time(60.0, "a", "b")):
        holders.setdefault(request.sha256, set()).add(request.holder)
    assert holders.keys() == artifacts(bundle()).keys()
    assert all(asked == {"a", "b", ""} for asked in holders.values())


def test_a_spec_whose_artifacts_nobody_has_any_more_stays_with_the_reason() -> None:
    # It was still being fetched when its coordinator and its client were gone.
    desk = Desk(acts=False)
    desk.hear(wish(bundle()), *here("a"))
    desk.pass_time(LISTEN_S + 3 * PULL_PATIENCE_S, "a")
    assert desk.phase == "waiting"
    assert "partition branch0-stage0: nobody sent the artifact" in desk.status.reason
    assert SPEC.at(SITE, deployment=NAME) not in desk.said
    # Whoever has them later is asked.
    sha256 = sha256_of(artifacts(bundle())[bundle().partitions[0].sha256])
    assert sha256 in {request.sha256 for request in requested(desk.pass_time(20.0, "a"))}


def test_of_two_deployments_on_a_node_both_are_known_by_what_the_node_says() -> None:
    # A topic retains one assignment a node; the status and the node itself tell of the other.
    of = bundle()
    before = serving("a", of=of)
    before.hear(wish(of, name="faces"))
    before.ready("a")
    desk = newcomer(before, "a")
    desk.hear(
        report("a", before.assignment("a").model_copy(update={"deployment": NAME, "epoch": 1}))
    )
    actions = desk.pass_time(LISTEN_S + SILENT_S, "a")
    for name in (NAME, "faces"):
        deployment = desk.controller.deployments.get(name)
        assert deployment is not None
        assert deployment.settled
        assert deployment.serving is not None
        assert deployment.serving.number == 1
    assert {told.epoch for told in assigned(actions)} == {1}


def test_what_cannot_be_told_is_placed_anew_and_whoever_is_left_over_drains() -> None:
    of = bundle(branches=3)
    before = serving("a", "b", of=of)
    desk = Desk(stored=of, acts=False)
    lost = NODE_ASSIGNMENT.at(SITE, node="b")
    known = [message for message in retained(before) if message.topic != lost]
    desk.hear(*here("a"), *here("b"), *known)
    desk.pass_time(LISTEN_S + SILENT_S, "a", "b")
    assert (desk.phase, desk.status.epoch) == ("preparing", 2)
    desk.hear(gone("a"))
    desk.ready("b")
    assert desk.active.epoch == 3
    assert desk.assignment("a").partitions == ()


def test_a_folder_that_is_older_than_the_site_is_not_believed() -> None:
    old = serving("a", "b")
    kept = saved(old)
    old.hear(gone("b"))
    old.ready("a")  # epoch 2, by a coordinator with another folder
    desk = Desk(stored=bundle(), restored=kept, acts=False)
    desk.hear(*here("a"), *retained(old), report("a", old.assignment("a")))
    desk.pass_time(LISTEN_S + SILENT_S, "a")
    assert (desk.phase, desk.active.epoch) == ("serving", 2)


# --- two of them ------------------------------------------------------------------------------


def test_a_second_coordinator_stands_by_and_writes_nothing() -> None:
    first = serving("a", "b")
    second = newcomer(first, "a", "b")
    actions = []
    for _ in range(10):
        actions += second.hear(beat(100))
        actions += second.pass_time(1.0, "a", "b")
    actions += second.hear(gone("b"), wish(bundle(), revision=5))
    actions += second.hear(Message(SPEC.at(SITE, deployment="faces"), b""))
    assert second.controller.tenure.state == "standing by"
    assert actions == []
    assert second.said == {}


def test_when_the_first_falls_silent_the_second_goes_on_with_what_it_heard() -> None:
    first = serving("a", "b")
    second = newcomer(first, "a", "b", folder=bundle())
    second.hear(beat(100))
    first.hear(gone("b"))
    first.ready("a")
    second.hear(gone("b"), *retained(first))
    second.pass_time(SILENT_S, "a")
    assert second.active.epoch == 2
    assert second.phase == "serving"


def test_a_coordinator_that_was_cut_off_ends_when_it_hears_of_the_later_one() -> None:
    desk = serving("a", "b")
    for sequence in range(1, CONFIRMED):
        assert not [a for a in desk.hear(beat(101, sequence)) if isinstance(a, Stop)]
        desk.pass_time(1.0, "a", "b")
    (stop,) = [a for a in desk.hear(beat(101, CONFIRMED)) if isinstance(a, Stop)]
    assert "that one stays" in stop.reason


def test_an_earlier_one_that_comes_back_is_written_over() -> None:
    desk = serving("a", "b")
    stale = desk.active.model_copy(update={"epoch": 7})
    topic = ACTIVE.at(SITE, deployment=NAME)
    now = desk.said[topic]
    desk.hear(Message(topic, now))  # our own echo
    (action,) = [
        action
        for action in [*desk.hear(Message(topic, stale.encode())), *desk.pass_time(1.0, "a", "b")]
        if isinstance(action, Publish) and action.topic == topic
    ]
    assert action.payload == now


def test_a_deployment_that_ends_while_nobody_acts_is_retired_by_whoever_acts_next() -> None:
    desk = newcomer(serving("a", "b"), "a", "b")
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), b""))
    desk.pass_time(LISTEN_S + SILENT_S, "a", "b")
    assert desk.assignment("a").phase == desk.assignment("b").phase == "retire"
    assert desk.said[STATUS.at(SITE, deployment=NAME)] == b""


# --- a connection that is open in one direction only --------------------------------------------


def test_who_does_not_hear_itself_takes_nobody_for_dead_and_connects_anew() -> None:
    desk = serving("a", "b")
    desk.beat()
    desk.now += UNSURE_S
    desk.hear(gone("b"))
    assert desk.phase == "serving"
    assert not desk.controller.deaf(desk.now)
    desk.now += DEAF_S
    assert desk.controller.deaf(desk.now)
    desk.controller.connected(desk.now)
    desk.hear(*here("a"))
    desk.pass_time(LISTEN_S, "a")
    assert set(desk.status.placement.values()) == {"a"}


def test_the_will_of_one_that_stood_by_is_contradicted() -> None:
    desk = serving("a")
    desk.hear(Message(COORDINATOR_STATE.at(SITE), OFFLINE))
    assert desk.said[COORDINATOR_STATE.at(SITE)] == b"online"


def test_a_restart_with_its_folder_needs_nobody_to_tell_it_anything() -> None:
    desk = serving("a", "b")
    again = restarted(desk)
    again.hear(*here("a"), *here("b"))
    again.pass_time(LISTEN_S + SILENT_S, "a", "b")
    assert again.active == desk.active
