"""Pictures that cameras publish over MQTT: each taken, or refused with a word that is counted."""

import base64
import io
import json
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from broker.bus.memory import MemoryBroker, MemoryBus
from broker.bus.seam import NotAllowedError
from fog_node.sources import mqtt
from fog_node.sources.live import Feed
from fog_node.sources.mqtt import MqttPictures, topic_filter_of
from fog_node.sources.source import SourceError
from pictures.framing import WHOLE
from tests.fog_node.sources.looking import HANGS_S, SHAPE, Looking

TOPIC = "frigate/door/cat/snapshot"


def encoded(value: int, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("L", (32, 24), value).save(file, kind)
    return file.getvalue()


def text(value: int) -> str:
    return base64.b64encode(encoded(value)).decode()


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as made:
        yield made


@pytest.fixture
def publisher(broker: MemoryBroker) -> MemoryBus:
    return broker.bus("the camera's own software")


@pytest.fixture
def pictures(broker: MemoryBroker) -> Iterator[MqttPictures]:
    made = MqttPictures(broker.bus("fog-camera"), TOPIC, camera="door")
    broker.settle()
    yield made
    made.close()


TAKEN = {
    "a JPEG": encoded(10),
    "a PNG": encoded(20, "PNG"),
    "base64": text(30).encode(),
    "a data URI": f"data:image/jpeg;base64,{text(40)}".encode(),
    "JSON with image": json.dumps({"image": text(50)}).encode(),
    "JSON with imagebase64": json.dumps({"time": 1, "imagebase64": text(60)}).encode(),
    "JSON in JSON": json.dumps({"event": {"snapshot": text(70)}}).encode(),
}
REFUSED = {
    "a JPEG cut off": (encoded(80)[:-40], "truncated"),
    "a chunk": (json.dumps({"chunk": 1, "data": text(90)[:40]}).encode(), "chunked"),
    "no picture": (b"ON", "no_picture"),
}


def test_a_mistake_of_ours_costs_one_picture_and_not_all_that_follow(
    broker: MemoryBroker, publisher: MemoryBus
) -> None:
    begun: list[str] = []

    def begin(camera: str, _feed: Feed) -> None:
        if camera == "bad":
            raise RuntimeError("no thread left")
        begun.append(camera)

    made = MqttPictures(broker.bus("fog-camera"), "cameras/+", on_camera=begin)
    broker.settle()
    for camera in ("bad", "good"):
        publisher.publish(f"cameras/{camera}", encoded(10))
    until = time.monotonic() + HANGS_S
    while not begun and time.monotonic() < until:
        time.sleep(0.01)
    made.close()
    assert begun == ["good"]


def test_every_form_is_taken_or_refused_with_a_word(
    publisher: MemoryBus, pictures: MqttPictures
) -> None:
    looking = Looking(pictures.feed().view())
    for value, name in enumerate(TAKEN, start=1):
        publisher.publish(TOPIC, TAKEN[name])
        picture = looking.picture()
        assert (int(picture.pixels.mean()), picture.name) == (value * 10, TOPIC)
    for payload, word in REFUSED.values():
        publisher.publish(TOPIC, payload)
        looking.until(lambda word=word: looking.source.counters.get(word) == 1)  # type: ignore[misc]
    assert looking.source.counters["came"] == len(TAKEN)


def test_what_is_retained_or_comes_again_is_passed_over(broker: MemoryBroker) -> None:
    camera = broker.bus("camera")
    camera.publish(TOPIC, encoded(10), retain=True)
    broker.settle()
    pictures = MqttPictures(broker.bus("fog-camera"), TOPIC, camera="door")
    looking = Looking(pictures.feed().view())
    # A subscription that was made before the connection may bring it twice.
    looking.until(lambda: looking.source.counters.get("retained", 0) >= 1)
    for value in (10, 10, 20, 10):
        camera.publish(TOPIC, encoded(value), retain=True)
        broker.settle()
    looking.until(lambda: looking.source.counters["came"] == 3)
    pictures.close()
    assert looking.source.counters["repeated"] == 1


def test_wildcards_give_each_camera_a_feed(broker: MemoryBroker, publisher: MemoryBus) -> None:
    found: dict[str, Looking] = {}

    def on_camera(camera: str, feed: Feed) -> None:
        found[camera] = Looking(feed.view())

    pictures = MqttPictures(broker.bus("fog-camera"), "frigate/+/cat/snapshot", on_camera=on_camera)
    looking = Looking(Feed("no camera").view())
    broker.settle()
    publisher.publish("frigate/stats/cat/snapshot", b"not a picture")
    for value, name in ((10, "door"), (20, "Back_Yard"), (30, "door")):
        publisher.publish(f"frigate/{name}/cat/snapshot", encoded(value))
    publisher.publish("frigate/back-yard/cat/snapshot", encoded(40))
    looking.until(lambda: pictures.counters["same_id"] == 1)
    pictures.close()
    assert sorted(found) == ["back-yard", "door"]
    assert found["back-yard"].picture().name == "frigate/Back_Yard/cat/snapshot"
    assert found["door"].source.counters["came"] == 2
    assert pictures.counters == {"no_picture": 1, "same_id": 1}


def test_cameras_are_bounded(
    broker: MemoryBroker, publisher: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "MOST_CAMERAS", 3)
    found: list[str] = []
    pictures = MqttPictures(
        broker.bus("fog-camera"), "cam/#", on_camera=lambda camera, _feed: found.append(camera)
    )
    looking = Looking(Feed("no camera").view())
    broker.settle()
    for number in range(10):
        publisher.publish(f"cam/{number}", encoded(number))
    looking.until(lambda: pictures.counters["too_many"] == 7)
    pictures.close()
    assert found == ["0", "1", "2"]


def test_what_cannot_be_decoded_is_counted(publisher: MemoryBus, pictures: MqttPictures) -> None:
    looking = Looking(pictures.feed().view())
    publisher.publish(TOPIC, encoded(20, "PNG").replace(b"IDAT", b"IDAX"))
    looking.until(lambda: looking.source.counters["came"] == 1)
    assert looking.source.take(SHAPE, WHOLE, time.monotonic()) is None
    assert looking.source.counters["damaged"] == 1
    publisher.publish(TOPIC, encoded(30))
    assert int(looking.picture().pixels.mean()) == 30


def test_a_right_that_is_missing_is_said(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = MqttPictures(broker.bus("fog-camera"), TOPIC, camera="door")
    pictures._refused(NotAllowedError(TOPIC, "read", "not authorised"))
    (line,) = caplog.messages
    assert f"the broker refused the right to read {TOPIC} (not authorised)" in line
    assert "--source-broker" in line
    trouble = pictures.feed().view().trouble
    pictures.close()
    assert trouble is not None
    assert "refused the right to read" in trouble


@pytest.mark.parametrize("text", ["mqtt:", "mqtt:a/#/b", "mqtt:a+/b", "mqtt://host/topic"])
def test_what_is_no_topic_filter_is_one_sentence(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        topic_filter_of(text)
    assert "\n" not in str(caught.value)


def test_a_topic_may_begin_with_a_slash() -> None:
    assert topic_filter_of("mqtt:/yard/esp32/image") == "/yard/esp32/image"
