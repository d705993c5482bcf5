"""Fog nodes for real: threads, onnxruntime and a bus in one process, and a camera that asks them."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broker.artifacts import sha256_of
from broker.bus.seam import Message
from broker.codec import Chunk, encode_chunk
from broker.messages import OFFLINE, ONLINE, ArtifactRequest, Result
from broker.topics import NODE_ARTIFACT, NODE_GET, NODE_INFO, RESULT
from fog_node.agent import Agent
from fog_node.camera.camera import Camera
from fog_node.camera.settings import CameraSettings
from fog_node.camera.stream import Delivery
from fog_node.events import Action
from fog_node.presence import INSISTS
from fog_node.sources.finite import FiniteSource
from fog_node.sources.source import Picture
from tests.fog_node.scene import (
    CAMERA,
    DEPLOYMENT,
    FUSE,
    LEFT,
    RIGHT,
    SITE,
    assignment,
    part,
    tensor,
    topic_of,
)
from tests.fog_node.small_site import MODELS, Site, real


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


def pictures() -> Iterator[Picture]:
    for label, value in cycle([("cat", 0), ("dog", 255)]):
        yield Picture(np.full((1, 2, 2), value, np.uint8), label)


def stream(
    site: Site, epoch: int, count: int, delivery: Delivery = "reliable", name: str = CAMERA
) -> dict[str, Any]:
    """Stream dark pictures (cats) and bright ones (dogs) in turn; return the camera's summary."""
    active = site.activate(epoch)
    bus = site.broker.bus(f"camera-{name}")
    settings = CameraSettings(DEPLOYMENT, name, SITE, 500.0, delivery, 20.0)
    summary = Camera(settings, bus).run(FiniteSource(pictures(), None), active, count=count)
    bus.close()
    return summary


def serve_on_one(site: Site, name: str, epoch: int = 1) -> None:
    site.assign(name, assignment(epoch, *map(real, (LEFT, RIGHT, FUSE)), phase="serve"))
    site.report(name, "ready")


@pytest.mark.parametrize("delivery", ["live", "reliable"])
def test_a_node_fetches_a_network_and_answers_every_frame(home: Site, delivery: Delivery) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    assert set(home.asked) == set(home.artifacts)
    summary = stream(home, 1, 1 if delivery == "live" else 30, delivery)
    assert summary["answered"] == summary["sent"]
    assert (summary["accuracy"], summary["incomplete"], summary["mixed_epochs"]) == (1.0, 0, 0)


def test_branches_on_two_nodes_are_fused_and_one_that_dies_is_done_without(home: Site) -> None:
    left, _right = home.node("left"), home.node("right")
    home.assign("left", assignment(1, real(LEFT)))
    home.assign("right", assignment(1, real(RIGHT), real(FUSE), maker="left"))
    seconds = {**home.report("left", "ready").seconds, **home.report("right", "ready").seconds}
    assert seconds.keys() == {LEFT.id, RIGHT.id, FUSE.id}
    summary = stream(home, 1, 20)
    assert (summary["answered"], summary["incomplete"], summary["accuracy"]) == (20, 0, 1.0)
    left.bus.kill()
    summary = stream(home, 1, 3, name="hall")
    assert (summary["answered"], summary["incomplete"], summary["accuracy"]) == (3, 3, 1.0)


def test_a_new_epoch_takes_over_and_nothing_is_mixed(home: Site) -> None:
    home.node("old"), home.node("new")
    serve_on_one(home, "old", epoch=1)
    assert stream(home, 1, 10)["answered"] == 10
    serve_on_one(home, "new", epoch=2)
    home.assign("old", assignment(2, phase="serve"))
    summary = stream(home, 2, 10, name="hall")
    assert (summary["answered"], summary["mixed_epochs"]) == (10, 0)


def test_a_node_that_starts_again_has_its_artifacts_and_its_assignment(home: Site) -> None:
    first = home.node("pi")
    serve_on_one(home, "pi")
    first.stop()
    home.state("pi", OFFLINE)
    home.asked.clear()
    second = home.node("pi")
    report = home.report("pi", "ready")
    assert home.asked == []
    assert first.info is not None
    assert second.info is not None
    assert report.session == second.info.session > first.info.session
    assert stream(home, 1, 5)["answered"] == 5


def test_a_corrupt_artifact_is_refused_and_pulled_again(home: Site, tmp_path: Path) -> None:
    data = MODELS[LEFT.id]
    answers = [data, bytes(len(data))]  # the last one first

    def answer(message: Message) -> None:
        request = ArtifactRequest.decode(message.payload)
        chunk = encode_chunk(Chunk(request.sha256, 0, len(data), answers.pop()))
        home.bus.publish(NODE_ARTIFACT.at(SITE, node="pi"), chunk)

    home.bus.subscribe(NODE_GET.every(SITE), answer)
    home.node("pi")
    home.assign("pi", assignment(1, real(LEFT)))
    home.report("pi", "ready")
    assert (tmp_path / "pi" / "artifacts" / sha256_of(data)).read_bytes() == data
    assert home.beat("pi", "artifact_refused").counters["artifact_refused"] == 1


def test_an_artifact_that_is_no_model_fails(home: Site) -> None:
    home.artifacts[sha256_of(b"garbage")] = b"garbage"
    garbage = real(LEFT).model_copy(update={"sha256": sha256_of(b"garbage"), "bytes": 7})
    home.node("pi")
    home.assign("pi", assignment(1, garbage))
    report = home.report("pi", "failed")
    assert report.reason.startswith(f"partition {LEFT.id}: ")
    assert "\n" not in report.reason


def test_what_does_not_fit_fails_and_the_serving_epoch_keeps_serving(home: Site) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    home.assign("pi", assignment(2, part("big", ("input",), ("left",), memory=10**12)))
    assert "partition big does not fit" in home.report("pi", "failed").reason
    assert stream(home, 1, 5)["answered"] == 5


def test_hostile_messages_are_counted_in_the_beat_and_the_node_goes_on(home: Site) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    topic = topic_of(tensor("input", 1))
    for payload in (b"", b"garbage", b"FWT1" + bytes(100)):
        home.bus.publish(topic, payload)
    assert home.beat("pi", "bad_magic").counters["bad_magic"] == 2
    assert stream(home, 1, 5)["answered"] == 5


def test_a_mistake_in_a_decision_is_counted_and_the_node_goes_on(
    home: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    taken = Agent._take

    def mistaken(agent: Agent, message: Message, now: float) -> list[Action]:
        if not message.payload:
            raise ZeroDivisionError
        return taken(agent, message, now)

    monkeypatch.setattr(Agent, "_take", mistaken)
    home.bus.publish(topic_of(tensor("input", 1)), b"")
    assert home.beat("pi", "mistakes").counters["mistakes"] == 1
    assert stream(home, 1, 5)["answered"] == 5


def test_a_node_says_when_it_comes_and_when_it_goes(home: Site) -> None:
    node = home.node("pi")
    home.state("pi", ONLINE)
    home.bus.publish(f"fog/v2/{SITE}/node/pi/state", OFFLINE, retain=True)  # an older will
    home.state("pi", OFFLINE)
    home.state("pi", ONLINE)
    node.fog_node.stop()
    assert node.ended() == ""
    home.state("pi", OFFLINE)


def test_a_node_gives_way_to_a_later_one_of_its_name(home: Site) -> None:
    node = home.node("pi")
    assert node.info is not None
    later = node.info.model_copy(update={"session": node.info.session + 1}).encode()
    for _ in range(50 * INSISTS):  # whoever has its id ends its connection, and says who is there
        home.bus.publish(NODE_INFO.at(SITE, node="pi"), later, retain=True)
        home.broker.settle()
        if node.ends_within(0.1):
            break
        node.bus.disconnect()
        node.bus.reconnect()
    assert node.ended() == "another fog-node took the id pi"


def test_an_answer_tells_where_the_time_went(home: Site) -> None:
    home.node("pi")
    serve_on_one(home, "pi")
    answers: list[Result] = []
    home.bus.subscribe(
        RESULT.every(SITE, deployment=DEPLOYMENT),
        lambda message: answers.append(Result.decode(message.payload)),
    )
    stream(home, 1, 1)
    home.broker.settle()
    assert [hop.partition for hop in answers[0].latency] == [LEFT.id, RIGHT.id, FUSE.id]
    assert all(hop.node == "pi" and hop.run_s > 0 for hop in answers[0].latency)
