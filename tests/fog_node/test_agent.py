"""The agent, by the table at the top of ``fog_node/agent.py``: an event in, actions out."""

from typing import Any

import numpy as np
import pytest

from broker.actions import Publish, Stop
from broker.artifact_pulls import REFUSALS
from broker.artifacts import sha256_of
from broker.codec import Chunk, decode_tensor, encode_chunk, encode_tensor
from broker.frame import FrameTensor, Hop
from broker.messages import (
    OFFLINE,
    ONLINE,
    ArtifactRequest,
    Assignment,
    Links,
    NodeInfo,
    Report,
)
from broker.topics import (
    COORDINATOR_GET,
    NODE_ARTIFACT,
    NODE_ASSIGNMENT,
    NODE_GET,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    RESULT,
)
from fog_node.epochs import DRAIN_S
from fog_node.events import (
    Absent,
    Action,
    Execute,
    Found,
    Give,
    Load,
    Loaded,
    LoadFailed,
    Overran,
    Ran,
    RunFailed,
    Subscribe,
    Tidy,
    Unload,
    Unsubscribe,
)
from fog_node.holdings import PULL_PATIENCE_S
from fog_node.presence import INSISTS
from tests.fog_node.scene import (
    CAMERA,
    DEPLOYMENT,
    FUSE,
    FUSION,
    LEFT,
    NODE,
    PATIENCE,
    RIGHT,
    SITE,
    Desk,
    artifact,
    assignment,
    filters,
    loaded,
    only,
    part,
    reports,
    results,
    tensor,
    topic_of,
)

FRAMES = f"fog/v2/{SITE}/frame/{DEPLOYMENT}/+"
STATE, INFO = NODE_STATE.at(SITE, node=NODE), NODE_INFO.at(SITE, node=NODE)
REPORTS = NODE_REPORT.at(SITE, node=NODE)
TOLD, CHUNKS = NODE_ASSIGNMENT.at(SITE, node=NODE), NODE_ARTIFACT.at(SITE, node=NODE)


def serving(*parts: Any, epoch: int = 1) -> Desk:
    """Return a desk whose agent serves these partitions."""
    desk = Desk()
    desk.serve(assignment(epoch, *parts, phase="serve"))
    return desk


def requests(actions: list[Action]) -> list[ArtifactRequest]:
    topic = NODE_GET.at(SITE, node=NODE)
    asked = only(Publish, actions)
    return [ArtifactRequest.decode(said.payload) for said in asked if said.topic == topic]


def answer(desk: Desk, request: ArtifactRequest, data: bytes) -> list[Action]:
    chunk = Chunk(request.sha256, request.offset, len(data), data[request.offset :])
    return desk.hear(CHUNKS, encode_chunk(chunk))


def the_report(actions: list[Action]) -> Report:
    """Return the last word on how far it is; whoever says more than one says them in order."""
    said = reports(actions)
    assert [r.status for r in said] in (
        [said[-1].status], ["loaded", "ready"], ["fetched", "loaded", "ready"], ["fetched", "failed"]
    )  # fmt: skip
    return said[-1]


# --- preparing -> ready ---------------------------------------------------------------------


def test_it_listens_before_it_says_that_it_is_there() -> None:
    actions = Desk().done
    assert set(filters(actions)) == {STATE, INFO, REPORTS, TOLD, CHUNKS, COORDINATOR_GET.at(SITE)}
    assert actions[-1] == Publish(STATE, ONLINE, retain=True)


def test_an_assignment_is_loaded_from_the_disk_and_reported_ready() -> None:
    desk = Desk()
    assert desk.assign(assignment(1, LEFT)) == [Load(LEFT.sha256, memory_bytes=LEFT.memory_bytes)]
    assert the_report(desk.happen(Found(LEFT.sha256))).status == "fetched"
    actions = desk.happen(loaded(LEFT))
    # Subscribe before: who is told that it is ready may send at once.
    assert [r.status for r in reports(actions)] == ["loaded", "ready"]
    assert actions[1] == Subscribe(FRAMES, stream=True)
    report = the_report(actions[2:])
    assert (report.status, report.epoch, report.session) == ("ready", 1, 7)
    assert report.seconds == {LEFT.id: 0.001}
    assert only(Publish, actions)[0].retain


def test_what_the_disk_does_not_have_is_pulled_checked_and_loaded() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    (request,) = requests(desk.happen(Absent(LEFT.sha256)))
    assert request.sha256 == LEFT.sha256
    actions = answer(desk, request, artifact(LEFT.id))
    assert actions[0] == Load(LEFT.sha256, artifact(LEFT.id), LEFT.memory_bytes)
    assert the_report(actions).status == "fetched"
    assert the_report(desk.happen(loaded(LEFT))).status == "ready"


def test_only_the_last_artifact_completes_the_fetching() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT, RIGHT))
    (left,) = requests(desk.happen(Absent(LEFT.sha256)))
    assert requests(desk.happen(Absent(RIGHT.sha256))) == []  # one window for all
    actions = answer(desk, left, artifact(LEFT.id))
    assert reports(actions) == []
    (right,) = requests(actions)
    assert the_report(answer(desk, right, artifact(RIGHT.id))).status == "fetched"
    assert reports(desk.happen(loaded(RIGHT))) == []
    assert the_report(desk.happen(loaded(LEFT))).status == "ready"


def test_a_corrupt_artifact_is_refused_and_pulled_again() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    (request,) = requests(desk.happen(Absent(LEFT.sha256)))
    forged = bytes(len(artifact(LEFT.id)))
    (again,) = requests(answer(desk, request, forged))
    assert again == request
    assert desk.counters["artifact_refused"] == 1
    assert answer(desk, again, artifact(LEFT.id))[0] == Load(
        LEFT.sha256, artifact(LEFT.id), LEFT.memory_bytes
    )


def test_a_late_chunk_is_asked_for_again() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    first = requests(desk.happen(Absent(LEFT.sha256)))
    assert requests(desk.wait(0.5)) == []
    assert requests(desk.wait(0.5)) == first


# --- preparing -> failed --------------------------------------------------------------------


def test_what_nobody_sends_fails_after_patience() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    desk.happen(Absent(LEFT.sha256))
    assert reports(desk.wait(PULL_PATIENCE_S - 0.1)) == []
    report = the_report(desk.wait(0.1))
    assert (report.status, report.reason) == (
        "failed",
        "partition left-branch: nobody sent the artifact",
    )
    assert requests(desk.wait(PULL_PATIENCE_S)) == []


def test_what_keeps_coming_corrupt_fails() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    asked = requests(desk.happen(Absent(LEFT.sha256)))
    for _ in range(REFUSALS):
        asked = requests(answer(desk, asked[0], bytes(len(artifact(LEFT.id)))))
    assert asked == []
    report = the_report(desk.wait(0.1))
    assert (report.status, "not the artifact" in report.reason) == ("failed", True)


def test_what_cannot_be_loaded_fails_with_the_reason() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    report = the_report(desk.happen(LoadFailed(LEFT.sha256, "no model")))
    assert (report.status, report.reason) == ("failed", "partition left-branch: no model")


def test_an_artifact_with_other_tensors_fails() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    session = Loaded(LEFT.sha256, frozenset({"x"}), frozenset({"left"}), 0.1)
    report = the_report(desk.happen(session))
    assert (report.status, "other inputs or outputs" in report.reason) == ("failed", True)
    assert FRAMES not in desk.subscribed


def test_a_session_at_hand_with_other_tensors_fails_a_later_epoch_too() -> None:
    desk = serving(LEFT)
    lying = LEFT.model_copy(update={"outputs": ("right",)})
    assert the_report(desk.assign(assignment(2, lying))).status == "failed"
    assert results_of_a_frame(desk, LEFT) == ["left"]


def results_of_a_frame(desk: Desk, partition: Any, epoch: int = 1) -> list[str]:
    """Send a frame through a branch; return the tensors that come out."""
    (execute,) = only(Execute, desk.send(tensor("input", 3, epoch)))
    assert execute.run.partition == partition
    sent = [said for said in only(Publish, desk.ran(execute.run)) if said.stream]
    return [decode_tensor(said.payload, 0.0).tensor for said in sent]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (assignment(2, part("big", ("input",), ("left",), memory=995)), "partition big does not fit: 5 bytes"),
        (assignment(2, FUSE, inputs=()), "partition fusion: nobody makes its input left"),
        (assignment(2, part("f", ("input",), ("a", "b"), fusion=FUSION)), "a fusion has one output"),
    ],
    ids=["too large", "unknown input", "no fusion"],
)  # fmt: skip
def test_what_cannot_be_served_fails_and_the_serving_epoch_keeps_serving(
    told: Assignment, reason: str
) -> None:
    desk = serving(LEFT)
    actions = desk.assign(told)
    report = the_report(actions)
    assert (report.status, report.epoch) == ("failed", 2)
    assert reason in report.reason
    assert not only(Unload, actions)
    assert not only(Unsubscribe, actions)
    assert results_of_a_frame(desk, LEFT) == ["left"]


def test_a_failed_epoch_is_followed_by_one_that_fits() -> None:
    desk = serving(LEFT)
    desk.assign(assignment(2, part("big", ("input",), ("left",), memory=995)))
    assert the_report(desk.assign(assignment(3, LEFT))).status == "ready"


def test_memory_counts_what_is_loaded_once_however_many_epochs_share_it() -> None:
    desk = Desk(memory_bytes=25)
    desk.serve(assignment(1, LEFT, RIGHT, phase="serve"))
    assert the_report(desk.serve(assignment(2, LEFT, RIGHT, phase="serve"))).status == "ready"
    assert the_report(desk.serve(assignment(3, LEFT, FUSE))).status == "failed"


# --- memory for one epoch and a half --------------------------------------------------------


def crowded() -> Desk:
    """Return a desk that serves ``left`` and has room for half as much more."""
    desk = Desk(memory_bytes=15)
    desk.serve(assignment(1, LEFT, phase="serve"))
    return desk


OTHER = part("left-branch", ("input",), ("left",), version="2")


def test_an_epoch_that_may_make_room_ends_the_one_in_its_way() -> None:
    desk = crowded()
    assert the_report(desk.assign(assignment(2, OTHER))).status == "failed"
    actions = desk.assign(assignment(3, OTHER, makes_room=True))
    # Unloaded before the other is loaded: there is no room for both.
    assert [type(each) for each in actions if isinstance(each, Load | Unload)] == [Unload, Load]
    assert the_report(desk.happen(loaded(OTHER))).status == "ready"
    assert results_of_a_frame(desk, OTHER, epoch=3) == ["left"]
    desk.send(tensor("input", 4, epoch=1))
    assert desk.counters["other_epoch"] == 1


def test_room_is_made_only_where_it_is_needed() -> None:
    desk = serving(LEFT)
    actions = desk.assign(assignment(2, OTHER, makes_room=True))
    assert only(Unload, actions) == []
    assert results_of_a_frame(desk, LEFT) == ["left"]


def test_what_drains_gives_way_to_whatever_does_not_fit_beside_it() -> None:
    desk = crowded()
    desk.serve(assignment(2, phase="retire"))
    report = the_report(desk.serve(assignment(1, RIGHT, deployment="faces")))
    assert (report.deployment, report.status) == ("faces", "ready")


def test_another_deployment_does_not_give_way() -> None:
    desk = crowded()
    told = assignment(1, RIGHT, deployment="faces", makes_room=True)
    assert the_report(desk.assign(told)).status == "failed"
    assert results_of_a_frame(desk, LEFT) == ["left"]


# --- ready -> draining -> gone --------------------------------------------------------------


def test_old_and_new_epoch_serve_side_by_side() -> None:
    desk = serving(LEFT)
    desk.serve(assignment(2, LEFT))
    desk.assign(assignment(2, LEFT, phase="serve"))
    assert results_of_a_frame(desk, LEFT, epoch=1) == ["left"]
    assert results_of_a_frame(desk, LEFT, epoch=2) == ["left"]


def test_what_two_epochs_share_is_not_loaded_again() -> None:
    desk = serving(LEFT)
    actions = desk.assign(assignment(2, LEFT, RIGHT))
    assert only(Load, actions) == [Load(RIGHT.sha256, memory_bytes=RIGHT.memory_bytes)]
    desk.happen(loaded(RIGHT))
    desk.assign(assignment(2, LEFT, RIGHT, phase="serve"))
    assert only(Unload, desk.wait(DRAIN_S)) == []


def test_an_old_epoch_is_drained_after_its_last_frame() -> None:
    desk = serving(LEFT)
    desk.serve(assignment(2, FUSE))
    assert only(Unload, desk.wait(10 * DRAIN_S)) == []  # until the new one serves
    desk.assign(assignment(2, FUSE, phase="serve"))
    desk.now += DRAIN_S / 2
    results_of_a_frame(desk, LEFT)
    assert only(Unload, desk.wait(DRAIN_S - 0.1)) == []
    actions = desk.wait(0.1)
    assert only(Unload, actions) == [Unload(LEFT.sha256)]
    assert only(Unsubscribe, actions) == [Unsubscribe(FRAMES)]
    desk.send(tensor("input", 4))
    assert desk.counters["other_epoch"] == 1


def test_a_deployment_that_is_retired_is_drained() -> None:
    desk = serving(LEFT)
    desk.assign(assignment(2, phase="retire"))
    assert only(Unload, desk.wait(DRAIN_S)) == [Unload(LEFT.sha256)]
    assert FRAMES not in desk.subscribed
    assert list(desk.agent.epochs) == []


def test_an_epoch_that_never_served_gives_way_at_once() -> None:
    desk = Desk()
    desk.assign(assignment(1, LEFT))
    unloading, tidying = Unload(LEFT.sha256), Tidy(frozenset({RIGHT.sha256}))
    assert desk.assign(assignment(2, RIGHT)) == [
        unloading,
        Load(RIGHT.sha256, memory_bytes=RIGHT.memory_bytes),
        tidying,
    ]
    # What was being loaded comes to nothing.
    assert desk.happen(loaded(LEFT)) == [unloading, tidying]
    assert desk.happen(Absent(LEFT.sha256)) == []


def test_a_stale_assignment_is_ignored() -> None:
    desk = serving(LEFT, epoch=5)
    assert desk.assign(assignment(4, RIGHT)) == []
    assert desk.counters["stale_assignment"] == 1
    assert desk.agent.epochs.newest_ready == 5


def test_who_is_told_again_reports_again() -> None:
    desk = serving(LEFT)
    assert the_report(desk.assign(assignment(1, LEFT))).status == "ready"
    assert the_report(desk.assign(assignment(1, LEFT, phase="serve"))).status == "ready"


def test_the_same_epoch_with_another_content_is_taken_up_anew() -> None:
    # A coordinator that lost its memory may number an epoch twice.
    desk = serving(LEFT)
    actions = desk.serve(assignment(1, RIGHT))
    assert only(Unload, actions) == [Unload(LEFT.sha256)]
    assert the_report(actions).seconds == {RIGHT.id: 0.001}
    assert results_of_a_frame(desk, RIGHT) == ["right"]


def test_deployments_do_not_disturb_each_other() -> None:
    desk = serving(LEFT)
    desk.serve(assignment(9, RIGHT, phase="serve", deployment="other"))
    assert only(Unload, desk.wait(10 * DRAIN_S)) == []
    assert results_of_a_frame(desk, LEFT) == ["left"]


def test_a_node_that_was_restarted_takes_up_its_retained_assignment() -> None:
    desk = Desk()
    actions = desk.serve(assignment(4, LEFT, phase="serve"))
    assert (the_report(actions).status, desk.agent.epochs.newest_ready) == ("ready", 4)


def test_an_assignment_that_is_cleared_changes_nothing() -> None:
    desk = serving(LEFT)
    assert desk.hear(TOLD, b"") == []
    assert desk.agent.epochs.newest_ready == 1


# --- frames and tensors ---------------------------------------------------------------------


def test_a_frame_goes_through_a_branch() -> None:
    desk = serving(LEFT)
    (execute,) = only(Execute, desk.send(tensor("input", 3, trace=(Hop("x", "y", 0.0, 0.1),))))
    (said,) = only(Publish, desk.ran(execute.run))
    sent = decode_tensor(said.payload, desk.now)
    assert said.stream
    assert said.topic == topic_of(sent)
    assert (sent.tensor, sent.header.frame_id, sent.header.camera, sent.header.epoch) == (
        "left",
        3,
        CAMERA,
        1,
    )
    assert [hop.partition for hop in sent.header.trace] == ["x", LEFT.id]


def test_a_fusion_answers() -> None:
    desk = serving(FUSE)
    assert desk.send(tensor("left", 3)) == []
    (result,) = results(desk.run_all(desk.send(tensor("right", 3))))
    assert (result.frame_id, result.camera, result.epoch, result.missing) == (3, CAMERA, 1, ())
    assert desk.counters["answers"] == 1


def test_a_fusion_answers_without_a_branch_that_does_not_come() -> None:
    desk = serving(FUSE)
    desk.send(tensor("left", 3))
    assert desk.agent.next_tick() == desk.now + PATIENCE
    (result,) = results(desk.run_all(desk.wait(PATIENCE)))
    assert result.missing == ("right",)
    assert desk.counters["incomplete"] == 1


def test_a_whole_network_on_one_node_sends_nothing_but_answers() -> None:
    desk = serving(LEFT, RIGHT, FUSE)
    actions = desk.run_all(desk.send(tensor("input", 3)))
    assert len(only(Publish, actions)) == len(results(actions)) == 1


def test_one_run_at_a_time_the_oldest_frame_first_and_within_it_by_priority() -> None:
    urgent = part("urgent", ("input",), ("right",), priority=1.0)
    desk = serving(LEFT, urgent)
    (first,) = only(Execute, desk.send(tensor("input", 1)))
    assert only(Execute, desk.send(tensor("input", 2, since=desk.now))) == []
    assert desk.agent.waiting_runs == 3
    (second,) = only(Execute, desk.ran(first.run))
    (third,) = only(Execute, desk.ran(second.run))
    order = [(e.run.partition.id, e.run.header.frame_id) for e in (first, second, third)]
    assert order == [("urgent", 1), (LEFT.id, 1), ("urgent", 2)]


def test_a_fusion_does_not_wait_for_the_branch_of_another_frame() -> None:
    desk = serving(LEFT, FUSE)
    (branch,) = only(Execute, desk.send(tensor("input", 1)))
    desk.send(tensor("input", 2))
    (second,) = only(Execute, desk.ran(branch.run))
    (fusion,) = only(Execute, desk.send(tensor("right", 1)))
    assert (second.run.partition, fusion.run.partition) == (LEFT, FUSE)
    assert len(results(desk.ran(fusion.run))) == 1  # while the second frame's branch goes on
    assert only(Execute, desk.send(tensor("input", 3))) == []


def test_a_run_that_fails_is_counted_and_the_next_one_runs() -> None:
    desk = serving(LEFT)
    (first,) = only(Execute, desk.send(tensor("input", 1)))
    desk.send(tensor("input", 2))
    (second,) = only(Execute, desk.happen(RunFailed(first.run, "out of memory")))
    assert second.run.header.frame_id == 2
    assert desk.counters["run_failed"] == 1


def test_a_run_that_does_not_end_fails_whoever_runs_its_artifact_and_nobody_else() -> None:
    desk = serving(LEFT)
    desk.serve(assignment(1, LEFT, phase="serve", deployment="second"))
    desk.serve(assignment(1, RIGHT, phase="serve", deployment="third"))
    (execute,) = only(Execute, desk.send(tensor("input", 1)))
    desk.send(tensor("input", 2))
    actions = desk.happen(Overran(execute.run, "a run did not end within 1.0 s"))
    assert {(said.deployment, said.status, said.reason) for said in reports(actions)} == {
        (name, "failed", "partition left-branch: a run did not end within 1.0 s")
        for name in (DEPLOYMENT, "second")
    }
    assert only(Unload, actions) == [Unload(LEFT.sha256)]
    assert only(Execute, actions) == []
    assert only(Execute, desk.send(tensor("input", 1, deployment="third")))


@pytest.mark.parametrize("order", [(10, 1), (1, 10)])
def test_who_understates_an_artifact_has_it_not_refused_to_another_deployment(
    order: tuple[int, int],
) -> None:
    desk = Desk(memory_bytes=25)
    for deployment, memory in zip(("first", "second"), order, strict=True):
        stated = LEFT.model_copy(update={"memory_bytes": memory})
        desk.assign(assignment(1, stated, deployment=deployment))
    (request,) = requests(desk.happen(Absent(LEFT.sha256)))
    (load,) = only(Load, answer(desk, request, artifact(LEFT.id)))
    assert load.memory_bytes == 10
    said = the_report(desk.assign(assignment(1, RIGHT, FUSE, deployment="third")))
    assert "does not fit: 5 bytes are missing" in said.reason


def test_runs_that_wait_are_dropped_with_their_epoch() -> None:
    desk = Desk()
    desk.serve(assignment(1, LEFT))
    (execute,) = only(Execute, desk.send(tensor("input", 1)))
    desk.send(tensor("input", 2))
    desk.assign(assignment(2, RIGHT))
    assert desk.ran(execute.run) == []
    assert desk.counters["retired"] == 1


def test_a_run_of_an_epoch_that_is_gone_comes_to_nothing() -> None:
    desk = Desk()
    desk.serve(assignment(1, LEFT))
    (execute,) = only(Execute, desk.send(tensor("input", 1)))
    desk.assign(assignment(2, RIGHT))
    assert desk.ran(execute.run) == []


@pytest.mark.parametrize("dtype", [np.float64, np.complex64])
def test_an_output_that_does_not_travel_is_counted(dtype: Any) -> None:
    desk = serving(LEFT)
    (execute,) = only(Execute, desk.send(tensor("input", 1)))
    actions = desk.happen(Ran(execute.run, {"left": np.zeros((1, 2), dtype)}, 0.1))
    assert only(Publish, actions) == []
    assert desk.counters["bad_dtype"] == 1


# --- frames that come again -----------------------------------------------------------------


def test_a_frame_that_was_computed_is_answered_from_memory() -> None:
    desk = serving(LEFT)
    (execute,) = only(Execute, desk.send(tensor("input", 3)))
    (first,) = only(Publish, desk.ran(execute.run))
    again = desk.send(tensor("input", 3))  # its camera never heard the answer
    assert only(Execute, again) == []
    (repeated,) = only(Publish, again)
    assert repeated.topic == first.topic
    np.testing.assert_array_equal(
        decode_tensor(repeated.payload, 0.0).data, decode_tensor(first.payload, 0.0).data
    )
    assert desk.counters["repeated"] == 1


def test_a_frame_that_is_being_computed_is_not_computed_twice() -> None:
    desk = serving(LEFT)
    (execute,) = only(Execute, desk.send(tensor("input", 3)))
    desk.send(tensor("input", 3))
    assert only(Execute, desk.ran(execute.run)) == []
    assert desk.counters["repeated"] == 1


def test_a_whole_network_answers_a_repeated_frame_from_memory() -> None:
    desk = serving(LEFT, RIGHT, FUSE)
    assert len(results(desk.run_all(desk.send(tensor("input", 3))))) == 1
    again = desk.run_all(desk.send(tensor("input", 3)))
    assert len(results(again)) == 1
    assert [execute.run.partition for execute in only(Execute, again)] == [FUSE]


# --- the standby of a fusion ----------------------------------------------------------------

STANDBY = part(
    "fusion", ("left", "right"), ("logits",), fusion=FUSION.model_copy(update={"first": "other"})
)


def first_answers(desk: Desk, frame_id: int) -> list[Action]:
    answer = serving(FUSE)
    answer.send(tensor("left", frame_id))
    (result,) = results(answer.run_all(answer.send(tensor("right", frame_id))))
    topic = RESULT.at(SITE, deployment=DEPLOYMENT, camera=CAMERA, node="other")
    return desk.hear(topic, result.encode())


def test_a_standby_hears_the_first_and_answers_what_it_does_not() -> None:
    desk = serving(STANDBY)
    assert RESULT.every(SITE, deployment=DEPLOYMENT, node="other") in desk.subscribed
    desk.send(tensor("left", 1))
    assert only(Execute, desk.send(tensor("right", 1))) == []
    first_answers(desk, 1)
    assert results(desk.run_all(desk.wait(10.0))) == []
    desk.send(tensor("left", 2))
    desk.send(tensor("right", 2))
    due = desk.agent.next_tick()
    assert due is not None
    (result,) = results(desk.run_all(desk.wait(due - desk.now)))
    assert (result.frame_id, result.missing) == (2, ())
    assert (desk.counters["stood_in"], desk.counters["answers"]) == (1, 1)


def test_another_nodes_answers_do_not_silence_a_standby() -> None:
    desk = serving(STANDBY)
    desk.hear(RESULT.at(SITE, deployment=DEPLOYMENT, camera=CAMERA, node="other"), b"garbage")
    assert desk.counters["bad_result"] == 1


# --- what the coordinator lost --------------------------------------------------------------


@pytest.mark.parametrize("holder", [NODE, "other", ""])
def test_a_node_gives_what_it_is_asked_for_by_name(holder: str) -> None:
    request = ArtifactRequest(sha256=LEFT.sha256, offset=0, length=10, holder=holder)
    actions = Desk().hear(COORDINATOR_GET.at(SITE), request.encode())
    assert only(Give, actions) == ([Give(request)] if holder == NODE else [])


# --- bad input is counted and dropped, and the agent goes on --------------------------------


@pytest.mark.parametrize(
    ("counter", "message"),
    [
        ("other_epoch", tensor("input", 1, epoch=2)),
        ("other_epoch", tensor("input", 1, deployment="other")),
        ("bad_shape", tensor("input", 1, data=np.zeros((1, 2), np.float32))),
        ("bad_dtype", tensor("input", 1, data=np.zeros((1, 1, 2, 2), np.int8))),
        ("bad_unknown_tensor", tensor("right", 1)),
        ("bad_header", tensor("input", 1, camera="Ü")),
    ],
)
def test_a_bad_tensor_is_counted_and_dropped(counter: str, message: FrameTensor) -> None:
    desk = serving(LEFT)
    assert desk.send(message) == []
    assert desk.counters[counter] == 1
    assert results_of_a_frame(desk, LEFT) == ["left"]


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        (f"fog/v2/{SITE}/frame/{DEPLOYMENT}/hall", "input"),  # another camera's
        (f"fog/v2/{SITE}/frame/other/{CAMERA}", "input"),  # another deployment's
        (f"fog/v2/{SITE}/tensor/{DEPLOYMENT}/1/{NODE}/right", "input"),
        (f"fog/v2/{SITE}/tensor/{DEPLOYMENT}/1/{NODE}/input", "input"),
        (f"fog/v2/{SITE}/frame/{DEPLOYMENT}/{CAMERA}", "right"),
        (f"fog/v2/{SITE}/tensor/{DEPLOYMENT}/2/{NODE}/right", "right"),
        (f"fog/v2/{SITE}/node/{NODE}/echo", "right"),
        ("", "right"),
    ],
)
def test_a_tensor_by_another_topic_is_counted_and_dropped(topic: str, name: str) -> None:
    desk = serving(LEFT, FUSE)
    assert desk.hear(topic, encode_tensor(tensor(name, 1), desk.now)) == []
    assert desk.counters["bad_topic"] == 1


def test_a_frame_of_a_new_epoch_that_runs_no_branch_here_is_nobodys_fault() -> None:
    desk = serving(LEFT)
    desk.serve(assignment(2, FUSE, phase="serve"))
    desk.send(tensor("input", 1, epoch=2))
    assert desk.counters["other_epoch"] == 1


@pytest.mark.parametrize("payload", [b"", b"garbage", b"FWT1\xff\xff\xff\xff", b"FWC1" + bytes(12)])
def test_garbage_is_counted_and_dropped(payload: bytes) -> None:
    desk = serving(LEFT)
    frames = f"fog/v2/{SITE}/frame/{DEPLOYMENT}/{CAMERA}"
    assert desk.hear(frames, payload) == []
    assert desk.hear(CHUNKS, payload) == []
    assert sum(n for name, n in desk.counters.items() if name.startswith("bad_")) == 2
    assert results_of_a_frame(desk, LEFT) == ["left"]


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"null",
        *(
            assignment(2, LEFT).encode().replace(f'"{DEPLOYMENT}"'.encode(), name)
            for name in (b'"+"', b'"a/#"', b'""')
        ),
        b'{"deployment": "digits", "epoch": -1, "phase": "serve"}',
    ],
)
def test_a_bad_assignment_is_counted_and_dropped(payload: bytes) -> None:
    desk = serving(LEFT)
    assert desk.hear(TOLD, payload) == []
    assert desk.counters["bad_assignment"] == 1
    assert results_of_a_frame(desk, LEFT) == ["left"]


def test_an_assignment_whose_mean_does_not_fit_its_channels_is_bad() -> None:
    desk = Desk()
    lying = assignment(1, LEFT).encode().replace(b'"mean":[0.5]', b'"mean":[0.5,0.5]')
    assert desk.hear(TOLD, lying) == []
    assert desk.counters["bad_assignment"] == 1


def test_a_chunk_that_nobody_asked_for_is_ignored() -> None:
    desk = serving(LEFT)
    chunk = Chunk(sha256_of(b"x"), 0, 1, b"x")
    assert desk.hear(CHUNKS, encode_chunk(chunk)) == []


# --- who is there ---------------------------------------------------------------------------


def test_an_older_sessions_will_is_contradicted() -> None:
    desk = Desk()
    assert desk.hear(STATE, OFFLINE) == [Publish(STATE, ONLINE, retain=True)]
    assert desk.hear(STATE, ONLINE) == []


def info(session: int) -> bytes:
    links = Links(uplink_bytes_per_s=1, downlink_bytes_per_s=1, latency_s=0)
    return NodeInfo(
        session=session, version="0", hardware="x", cores=1, threads=1,
        memory_bytes=1, macs_per_s=1, links=links,
    ).encode()  # fmt: skip


def test_a_later_namesake_is_given_way_to() -> None:
    desk = Desk()
    for _ in range(INSISTS - 1):
        assert desk.hear(INFO, info(8)) == []
        desk.agent.presence.connected()
        desk.wait(1.0)
    (stop,) = desk.hear(INFO, info(8))
    assert isinstance(stop, Stop)
    assert NODE in stop.reason


def test_one_that_takes_no_connection_or_comes_from_the_far_future_is_not() -> None:
    desk = Desk()
    for later in range(10):
        assert desk.hear(INFO, info(8 + later)) == []
        assert desk.hear(INFO, info(2**53)) == []
        desk.wait(1.0)


@pytest.mark.parametrize("payload", [info(7), info(6), b"", b"garbage"])
def test_itself_an_earlier_one_and_noise_are_not(payload: bytes) -> None:
    assert Desk().hear(INFO, payload) == []
