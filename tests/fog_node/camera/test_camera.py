"""A camera on a bus: it waits for what serves, counts every answer once, and always comes to an end."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from broker.bus.memory import MemoryBroker, MemoryBus
from broker.bus.seam import Message
from broker.codec import decode_tensor
from broker.frame import FrameTensor
from broker.messages import Active, BundleName, Result
from broker.tensor_specs import InputSpec
from broker.topics import ACTIVE, FRAME, RESULT
from fog_node.camera import stream as stream_module
from fog_node.camera import tally
from fog_node.camera.camera import Camera, NotServedError
from fog_node.camera.settings import CameraSettings
from fog_node.camera.stream import CameraStream, Delivery
from fog_node.camera.tally import Tally
from fog_node.sources.finite import FiniteSource
from fog_node.sources.source import Picture, SourceError
from tests.fog_node.scene import CAMERA, DEPLOYMENT, PICTURE, SITE

Fog = Callable[[FrameTensor], None]
NOTHING = "nothing serves deployment digits in site home, and no coordinator says why"


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as made:
        yield made


def active(epoch: int = 1, picture: InputSpec = PICTURE) -> Active:
    bundle = BundleName(name="digits", version="1")
    return Active(
        deployment=DEPLOYMENT,
        epoch=epoch,
        bundle=bundle,
        classes=("cat", "dog"),
        input=picture,
        fusion=("fog",),
    )


def say_active(bus: MemoryBus, what: Active | None) -> None:
    payload = b"" if what is None else what.encode()
    bus.publish(ACTIVE.at(SITE, deployment=DEPLOYMENT), payload, retain=True)


def answer(bus: MemoryBus, frame: FrameTensor, node: str = "fog", **changes: Any) -> None:
    fields = {
        "deployment": frame.header.deployment,
        "camera": frame.header.camera,
        "frame_id": frame.header.frame_id,
        "source": frame.header.source,
        "label": "cat",
        "confidence": 0.9,
        "epoch": frame.header.epoch,
        "missing": (),
        "latency": (),
        **changes,
    }
    topic = RESULT.at(SITE, deployment=DEPLOYMENT, camera=frame.header.camera, node=node)
    bus.publish(topic, Result(**fields).encode())


def fog(broker: MemoryBroker, react: Callable[[MemoryBus, FrameTensor], None]) -> MemoryBus:
    """Return a bus that reacts to every frame."""
    bus = broker.bus("fog")

    def hear(message: Message) -> None:
        react(bus, decode_tensor(message.payload, 0.0))

    bus.subscribe(FRAME.every(SITE, deployment=DEPLOYMENT), hear)
    return bus


def pictures(*labels: str) -> Iterator[Picture]:
    for label in labels:
        yield Picture(np.full((1, 4, 4), 7, np.uint8), label)


def run(
    broker: MemoryBroker,
    *labels: str,
    wait_s: float = 20.0,
    log: io.StringIO | None = None,
    delivery: Delivery = "reliable",
    **options: Any,
) -> dict[str, Any]:
    settings = CameraSettings(DEPLOYMENT, CAMERA, SITE, 500.0, delivery, wait_s)
    camera = Camera(settings, broker.bus("camera"), log)
    source = FiniteSource(pictures(*labels), None)
    return camera.run(source, active(), **{"count": len(labels), **options})


def test_what_nobody_serves_is_one_sentence(broker: MemoryBroker) -> None:
    settings = CameraSettings(DEPLOYMENT, CAMERA, SITE, 10.0, "live", 0.05)
    with pytest.raises(NotServedError, match="nothing serves deployment digits in site home"):
        Camera(settings, broker.bus("camera")).wait_active()


def test_it_says_what_it_waits_for(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fog_node.camera.camera._QUIET_S", 0.01)
    settings = CameraSettings(DEPLOYMENT, CAMERA, SITE, 10.0, "live", 0.1)
    with pytest.raises(NotServedError):
        Camera(settings, broker.bus("camera")).wait_active()
    (line,) = caplog.messages
    assert line == f"{NOTHING}; waits 0.1 s for it"


def test_it_waits_for_a_deployment(broker: MemoryBroker) -> None:
    settings = CameraSettings(DEPLOYMENT, CAMERA, SITE, 10.0, "live", 20.0)
    camera = Camera(settings, broker.bus("camera"))
    coordinator = broker.bus("coordinator")
    coordinator.publish(ACTIVE.at(SITE, deployment=DEPLOYMENT), b"garbage")
    say_active(coordinator, None)
    say_active(coordinator, active(3))
    assert camera.wait_active() == active(3)


def test_it_counts_answers_and_how_many_are_right(broker: MemoryBroker) -> None:
    fog(broker, answer)
    log = io.StringIO()
    summary = run(broker, "cat", "dog", "cat", "garden", log=log)
    assert (summary["sent"], summary["answered"], summary["repeats"]) == (4, 4, 0)
    # What is no class has no truth.
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert summary["latency_ms"].keys() == {"p50", "p95", "p99"}
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["truth"] for line in sorted(lines, key=lambda each: int(each["frame_id"]))] == [
        "cat",
        "dog",
        "cat",
        None,
    ]
    assert all(line["label"] == "cat" and line["latency_s"] > 0 for line in lines)


def test_frames_are_pixels_fitted_to_the_network(broker: MemoryBroker) -> None:
    frames: list[FrameTensor] = []

    def react(bus: MemoryBus, frame: FrameTensor) -> None:
        frames.append(frame)
        answer(bus, frame)

    fog(broker, react)
    run(broker, "cat", "cat")
    assert {frame.data.shape for frame in frames} == {(1, 1, 2, 2)}
    assert {frame.data.dtype for frame in frames} == {np.dtype(np.uint8)}
    assert {frame.header.expires_at for frame in frames} == {None}
    first = min(frame.header.frame_id for frame in frames)
    assert {frame.header.frame_id for frame in frames} == {first, first + 1}


def test_noise_and_the_answers_of_others_are_not_taken_for_its_own(broker: MemoryBroker) -> None:
    def react(bus: MemoryBus, frame: FrameTensor) -> None:
        bus.publish(RESULT.at(SITE, deployment=DEPLOYMENT, camera=CAMERA, node="fog"), b"garbage")
        answer(bus, frame, frame_id=0)  # an earlier start of this camera
        answer(bus, frame, frame_id=frame.header.frame_id + 1000)
        answer(bus, frame)
        answer(bus, frame)

    fog(broker, react)
    summary = run(broker, "cat", "cat", "cat")
    assert (summary["answered"], summary["bad_messages"]) == (3, 3)
    assert summary["repeats"] <= 3  # the last one may come when it has ended


def test_a_camera_that_hears_of_frames_it_never_sent_says_so_once(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    def react(bus: MemoryBus, frame: FrameTensor) -> None:
        answer(
            bus, frame, frame_id=frame.header.frame_id + 60_000
        )  # one that started a minute later
        answer(bus, frame)

    fog(broker, react)
    summary = run(broker, "cat", "cat", "cat")
    assert 2 <= summary["foreign"] <= 3
    assert caplog.messages == [
        "door: answers to frames that it never sent: two cameras with this id?"
    ]


def test_a_live_stream_outlives_silence_and_says_so_once(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_DEADLINE_MOST_S", 0.2)
    summary = run(broker, *["cat"] * 50, wait_s=0.05, delivery="live")
    assert (summary["sent"] + summary["superseded"], summary["answered"]) == (50, 0)
    assert summary["lost"] == summary["sent"] > 1
    assert not summary["gave_up"]
    assert caplog.messages == ["door: no answer for 0.05 s; going on"]


def test_a_live_stream_gives_up_when_its_deployment_ended(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    fog(broker, lambda bus, _frame: say_active(bus, None))
    summary = run(broker, *["cat"] * 1000, wait_s=0.1, delivery="live")
    assert summary["gave_up"]
    assert caplog.messages == [f"door: {NOTHING}; waited 0.1 s; gave up"]


def test_what_a_camera_remembers_is_bounded(
    broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "REMEMBERED", 3)
    fog(broker, answer)
    summary = run(broker, "cat", "dog", "dog", "dog", "dog")
    assert summary["accuracy"] == pytest.approx(1 / 5)
    assert Tally(None, None)._latencies.maxlen == 3


def test_a_fog_that_falls_silent_ends_the_stream(broker: MemoryBroker) -> None:
    summary = run(broker, "cat", "cat", wait_s=0.1)
    assert summary["gave_up"]
    assert (summary["sent"], summary["answered"], summary["unanswered"]) == (2, 0, 2)
    assert (summary["accuracy"], summary["latency_ms"]) == (None, None)


def test_a_deployment_that_ends_ends_the_stream(broker: MemoryBroker) -> None:
    def react(bus: MemoryBus, frame: FrameTensor) -> None:
        answer(bus, frame)
        say_active(bus, None)

    fog(broker, react)
    summary = run(broker, "cat", *["cat"] * 1000, wait_s=0.1)
    assert summary["sent"] < 1001


def test_a_frame_is_sent_again_to_a_network_of_another_shape(broker: MemoryBroker) -> None:
    wide = PICTURE.model_copy(update={"shape": (1, 1, 2, 8)})

    def react(bus: MemoryBus, frame: FrameTensor) -> None:
        if frame.header.epoch == 1:
            say_active(bus, active(2, wide))  # and the frame is lost
        else:
            assert frame.data.shape == (1, 1, 2, 8)
            answer(bus, frame)

    fog(broker, react)
    summary = run(broker, "cat")
    assert (summary["answered"], summary["mixed_epochs"]) == (1, 0)


def test_it_stops_when_it_is_told_to(broker: MemoryBroker) -> None:
    fog(broker, answer)
    seen: list[int] = []

    def progress(stream: CameraStream) -> None:
        seen.append(stream.counters.answered)

    summary = run(
        broker, *["cat"] * 1000, progress=progress, stopped=lambda: bool(seen) and seen[-1] >= 3
    )
    assert 3 <= summary["answered"] < 1000


def test_a_source_that_runs_dry_is_one_sentence(broker: MemoryBroker) -> None:
    fog(broker, answer)
    with pytest.raises(SourceError, match="no more pictures"):
        run(broker, "cat", count=2)
