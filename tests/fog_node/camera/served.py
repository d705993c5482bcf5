"""A deployment that a test serves itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.codec import decode_tensor
from broker.messages import Active, BundleName
from broker.messages import Result as Answered
from broker.topics import ACTIVE, FRAME, RESULT
from tests.fog_node.scene import PICTURE


@contextmanager
def serving(broker_url: str, site: str) -> Iterator[MqttBus]:
    """Serve the deployment: to every frame the answer is cat."""
    bus = MqttBus.connect(broker_url, f"fog-{site}")

    def answer(message: Message) -> None:
        frame = decode_tensor(message.payload, 0.0).header
        result = Answered(
            deployment="digits", camera=frame.camera, frame_id=frame.frame_id, source=frame.source,
            label="cat", confidence=1.0, epoch=frame.epoch, missing=(), latency=(),
        )  # fmt: skip
        topic = RESULT.at(site, deployment="digits", camera=frame.camera, node="pi")
        bus.publish(topic, result.encode())

    bus.subscribe(FRAME.every(site, deployment="digits"), answer)
    bundle = BundleName(name="digits", version="1")
    active = Active(
        deployment="digits", epoch=1, bundle=bundle, classes=("cat", "dog"), input=PICTURE,
        fusion=("pi",),
    )  # fmt: skip
    topic = ACTIVE.at(site, deployment="digits")
    bus.publish(topic, active.encode(), retain=True)
    yield bus
    bus.publish(topic, b"", retain=True)
    bus.close()
