"""What others say, forged, changed and absurd, ends no fog node and no camera, and moves neither."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.hostile.mutations import Mutator
from broker.actions import Publish
from broker.bus.memory import MemoryBroker
from broker.bus.seam import Message
from broker.codec import Chunk, decode_tensor, encode_chunk, encode_tensor
from broker.epoch_order import epoch_after, is_later
from broker.messages import (
    OFFLINE,
    ONLINE,
    Active,
    ArtifactRequest,
    AssignedFusion,
    BundleName,
    Links,
    NodeInfo,
    Result,
)
from broker.topics import (
    ACTIVE,
    COORDINATOR_GET,
    FRAME,
    NODE_ARTIFACT,
    NODE_ASSIGNMENT,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    RESULT,
    TENSOR,
    Topic,
)
from fog_node.camera.camera import Camera
from fog_node.camera.settings import CameraSettings
from fog_node.epochs import MOST_EPOCHS
from fog_node.events import Action, Load
from fog_node.sources.finite import FiniteSource
from fog_node.sources.source import Picture
from tests.fog_node.scene import (
    CAMERA,
    DEPLOYMENT,
    FUSE,
    LEFT,
    NODE,
    PICTURE,
    RIGHT,
    SITE,
    Desk,
    assignment,
    loaded,
    only,
    reports,
    results,
    tensor,
    topic_of,
)

STANDBY = FUSE.model_copy(
    update={"fusion": AssignedFusion(min_inputs=1, patience_s=1.0, first="other")}
)
LINKS = Links(uplink_bytes_per_s=1, downlink_bytes_per_s=1, latency_s=0)
INFO = NodeInfo(
    session=7, version="0", hardware="x", cores=1, threads=1, memory_bytes=1, macs_per_s=1, links=LINKS
)  # fmt: skip


def result(frame_id: int = 1, epoch: int = 1) -> Result:
    return Result(
        deployment=DEPLOYMENT, camera=CAMERA, frame_id=frame_id, source="", label="cat",
        confidence=1.0, epoch=epoch, missing=("left",), latency=(),
    )  # fmt: skip


def active(epoch: int = 1, fusion: tuple[str, ...] = ("fog",)) -> Active:
    name = BundleName(name="digits", version="1")
    return Active(
        deployment=DEPLOYMENT, epoch=epoch, bundle=name, classes=("cat", "dog"), input=PICTURE,
        fusion=fusion,
    )  # fmt: skip


def overheard() -> dict[Topic, list[Message]]:
    """Return a real message of every topic that a fog node hears."""
    told = assignment(1, LEFT, STANDBY, phase="serve", maker="maker")
    request = ArtifactRequest(sha256=LEFT.sha256, offset=0, length=100, holder=NODE)
    (report,) = reports(Desk().serve(assignment(1, LEFT)))[-1:]
    frame, part = tensor("input", 1), tensor("right", 1)
    names = {"deployment": DEPLOYMENT, "camera": CAMERA}
    return {
        NODE_STATE: [Message(NODE_STATE.at(SITE, node=NODE), OFFLINE)],
        NODE_INFO: [Message(NODE_INFO.at(SITE, node=NODE), INFO.encode())],
        NODE_REPORT: [Message(NODE_REPORT.at(SITE, node=NODE), report.encode())],
        NODE_ASSIGNMENT: [Message(NODE_ASSIGNMENT.at(SITE, node=NODE), told.encode())],
        NODE_ARTIFACT: [
            Message(NODE_ARTIFACT.at(SITE, node=NODE), encode_chunk(Chunk("0" * 64, 0, 4, b"data")))
        ],
        COORDINATOR_GET: [Message(COORDINATOR_GET.at(SITE), request.encode())],
        FRAME: [Message(topic_of(frame), encode_tensor(frame, 0.0))],
        TENSOR: [Message(topic_of(part).replace(f"/{NODE}/", "/maker/"), encode_tensor(part, 0.0))],
        RESULT: [Message(RESULT.at(SITE, node="other", **names), result().encode())],
        ACTIVE: [Message(ACTIVE.at(SITE, deployment=DEPLOYMENT), active().encode())],
    }


SEEN = overheard()


PARTS = {part.sha256: part for part in (LEFT, RIGHT, FUSE)}


def granted(desk: Desk, actions: list[Action]) -> list[Action]:
    """Load and run whatever is wanted, and what follows; return all that came of it."""
    done = desk.run_all(actions)
    loads = only(Load, done)
    while loads:
        part = PARTS.get(loads.pop().sha256)
        if part is not None:
            more = desk.run_all(desk.happen(loaded(part)))
            done += more
            loads += only(Load, more)
    return done


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
@example(9397922)  # one that takes an epoch a billion ahead
def test_no_changed_message_raises_and_frames_are_answered_as_before(seed: int) -> None:
    desk = Desk()
    told = assignment(1, LEFT, RIGHT, FUSE, phase="serve")
    granted(desk, desk.assign(told))
    mutator = Mutator(SEEN, SITE, seed)
    for _ in range(200):
        hostile = mutator.next()
        granted(desk, desk.hear(hostile.topic, hostile.payload))
        if hostile.retain:
            granted(desk, desk.wait(0.3))
    # The coordinator says its own again where another wrote over it, under an epoch after the other's.
    known = [
        number
        for name, number in (serving.key for serving in desk.agent.epochs)
        if name == DEPLOYMENT
    ]
    epoch = epoch_after(max((each for each in known if is_later(each, 1)), default=1))
    granted(desk, desk.assign(assignment(epoch, LEFT, RIGHT, FUSE, phase="serve")))
    granted(desk, desk.wait(3.0))
    answered = results(granted(desk, desk.send(tensor("input", 77, epoch=epoch))))
    assert [each.frame_id for each in answered] == [77]


def test_an_assignment_of_the_largest_epoch_makes_no_later_one_stale() -> None:
    desk = Desk()
    desk.serve(assignment(5, LEFT, phase="serve"))
    desk.serve(assignment(2**53, LEFT, phase="serve"))
    desk.serve(assignment(6, LEFT))
    desk.serve(assignment(6, LEFT, phase="serve"))
    desk.wait(3.0)
    assert [serving.key[1] for serving in desk.agent.epochs] == [6]
    assert desk.counters.get("stale_assignment", 0) == 0


def test_a_thousand_invented_deployments_are_turned_away() -> None:
    desk = Desk()
    for number in range(1000):
        desk.assign(assignment(1, LEFT, deployment=f"invented-{number}"))
    assert len(list(desk.agent.epochs)) <= MOST_EPOCHS
    assert desk.counters["turned_away"] == 1000 - MOST_EPOCHS


@pytest.mark.parametrize("said", [b"", b"garbage", OFFLINE])
def test_what_is_the_nodes_own_to_say_it_says_again(said: bytes) -> None:
    desk = Desk()
    ours = {NODE_STATE: ONLINE, NODE_INFO: INFO.encode()}
    desk.perform([desk.agent.presence.introduce(INFO)])
    done = desk.serve(assignment(1, LEFT))
    ours[NODE_REPORT] = reports(done)[-1].encode()
    for topic in ours:
        desk.hear(topic.at(SITE, node=NODE), said)
    again = [*desk.done[-3:], *desk.wait(1.0)]
    for topic, payload in ours.items():
        assert Publish(topic.at(SITE, node=NODE), payload, retain=True) in again
    assert desk.wait(5.0) == []


def test_a_first_fusion_is_believed_only_by_its_own_topic() -> None:
    desk = Desk()
    desk.serve(assignment(1, STANDBY, maker="maker"))
    lying = RESULT.at(SITE, deployment=DEPLOYMENT, camera="garden", node="other")
    desk.hear(lying, result().encode())
    assert desk.counters["bad_result"] == 1


# --- the camera ---------------------------------------------------------------------------------


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as made:
        yield made


def test_a_camera_takes_answers_only_from_whom_active_names(broker: MemoryBroker) -> None:
    thief, fog = broker.bus("thief"), broker.bus("fog")
    names = {"deployment": DEPLOYMENT, "camera": CAMERA}

    def react(message: Message) -> None:
        frame = decode_tensor(message.payload, 0.0).header
        lie = result(frame.frame_id).model_copy(update={"label": "dog"})
        thief.publish(RESULT.at(SITE, node="thief", **names), lie.encode())
        true = result(frame.frame_id)
        foreign = true.model_copy(update={"camera": "garden", "label": "dog"})
        fog.publish(RESULT.at(SITE, node="fog", **names), foreign.encode())
        fog.publish(RESULT.at(SITE, node="fog", **names), true.encode())

    fog.subscribe(FRAME.every(SITE, deployment=DEPLOYMENT), react)
    summary = stream(broker, 4)
    assert (summary["answered"], summary["accuracy"]) == (4, 1.0)
    assert summary["bad_messages"] == 8


@pytest.mark.parametrize(
    "shape",
    [
        (1, 3, 2**40, 2**40),
        (1, 2, 28, 28),  # neither grey nor colour
        (1, 1, 0, 28),
    ],
)
def test_an_active_of_an_absurd_shape_does_not_end_a_camera(
    broker: MemoryBroker, shape: tuple[int, ...]
) -> None:
    fog = broker.bus("fog")
    absurd = json.loads(active(2).encode())
    absurd["input"] |= {"shape": shape, "mean": [0.5] * shape[1], "std": [0.5] * shape[1]}

    def react(message: Message) -> None:
        frame = decode_tensor(message.payload, 0.0).header
        fog.publish(ACTIVE.at(SITE, deployment=DEPLOYMENT), json.dumps(absurd).encode())
        topic = RESULT.at(SITE, deployment=DEPLOYMENT, camera=CAMERA, node="fog")
        fog.publish(topic, result(frame.frame_id).encode())

    fog.subscribe(FRAME.every(SITE, deployment=DEPLOYMENT), react)
    summary = stream(broker, 3)
    assert (summary["answered"], summary["mistakes"]) == (3, 0)
    assert summary["bad_messages"] >= 2


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32))
def test_a_camera_goes_on_over_changed_messages(seed: int) -> None:
    with MemoryBroker() as broker:
        fog = broker.bus("fog")
        names = {"deployment": DEPLOYMENT, "camera": CAMERA}
        real = {
            ACTIVE: SEEN[ACTIVE],
            RESULT: [Message(RESULT.at(SITE, node="fog", **names), result().encode())],
        }
        mutator = Mutator(real, SITE, seed)

        def react(message: Message) -> None:
            frame = decode_tensor(message.payload, 0.0).header
            for _ in range(20):
                hostile = mutator.next()
                if "/frame/" not in hostile.topic:
                    fog.publish(hostile.topic, hostile.payload)
            fog.publish(ACTIVE.at(SITE, deployment=DEPLOYMENT), active().encode())
            answer = result(frame.frame_id, frame.epoch)
            fog.publish(RESULT.at(SITE, node="fog", **names), answer.encode())

        fog.subscribe(FRAME.every(SITE, deployment=DEPLOYMENT), react)
        summary = stream(broker, 5)
        assert (summary["answered"], summary["mistakes"]) == (5, 0)


def stream(broker: MemoryBroker, count: int) -> dict[str, Any]:
    def pictures() -> Iterator[Picture]:
        while True:
            yield Picture(np.zeros((1, 4, 4), np.uint8), "cat")

    camera = CameraSettings(DEPLOYMENT, CAMERA, SITE, 500.0, "reliable", 20.0)
    bus = broker.bus("camera")
    return Camera(camera, bus).run(FiniteSource(pictures(), None), active(), count=count)
