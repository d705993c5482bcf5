"""Why nothing serves a deployment, in its coordinator's words."""

from collections.abc import Iterator

import pytest

from broker.bus.inbox import Inbox
from broker.bus.memory import MemoryBroker
from broker.bus.seam import Message, NotAllowedError, TakenOverError
from broker.messages import Active, BundleName, Status
from broker.payload import MessageError
from broker.topics import ACTIVE, STATUS
from fog_node.camera.deployment_watch import DeploymentWatch
from tests.fog_node.scene import DEPLOYMENT, PICTURE, SITE

ACTIVE_TOPIC = ACTIVE.at(SITE, deployment=DEPLOYMENT)
STATUS_TOPIC = STATUS.at(SITE, deployment=DEPLOYMENT)
NOTHING = "nothing serves deployment digits in site home"


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    with MemoryBroker() as made:
        yield made


def status(**told: str) -> bytes:
    fields = {"phase": "waiting", "reason": "", "degraded": "", **told}
    return Status(deployment=DEPLOYMENT, revision=1, **fields).encode()


def active() -> bytes:
    bundle = BundleName(name="digits", version="1")
    return Active(
        deployment=DEPLOYMENT, epoch=1, bundle=bundle, classes=("cat",), input=PICTURE
    ).encode()


def test_the_retained_status_says_why(broker: MemoryBroker) -> None:
    broker.bus("coordinator").publish(
        STATUS_TOPIC, status(reason="no fog node has the memory for left"), retain=True
    )
    broker.settle()
    heard: Inbox[Message] = Inbox()
    watch = DeploymentWatch(broker.bus("camera"), SITE, DEPLOYMENT, heard.put)
    assert watch.why() == f"{NOTHING}, and no coordinator says why"
    message = heard.get(5.0)
    assert message is not None
    assert watch.concerns(message.topic)
    assert not watch.take(message)
    assert watch.why() == f"{NOTHING}: waiting, no fog node has the memory for left"


def test_it_is_heard_only_while_nothing_serves(broker: MemoryBroker) -> None:
    heard: Inbox[Message] = Inbox()
    coordinator = broker.bus("coordinator")
    watch = DeploymentWatch(broker.bus("camera"), SITE, DEPLOYMENT, heard.put)

    def say(topic: str, payload: bytes) -> int:
        coordinator.publish(topic, payload)
        broker.settle()
        came = 0
        while (message := heard.get(0.0)) is not None:
            came += 1
            watch.take(message)
        return came

    assert say(STATUS_TOPIC, status(phase="preparing")) == 1
    assert watch.why() == f"{NOTHING}: preparing"
    assert say(ACTIVE_TOPIC, active()) == 1
    assert watch.active is not None
    broker.settle()
    assert say(STATUS_TOPIC, status()) == 0
    assert say(ACTIVE_TOPIC, b"") == 1
    broker.settle()
    assert say(STATUS_TOPIC, status(phase="failed", reason="its bundle cannot be had")) == 1
    assert watch.why() == f"{NOTHING}: failed, its bundle cannot be had"
    assert say(STATUS_TOPIC, b"garbage") == 1
    assert watch.why() == f"{NOTHING}, and no coordinator says why"


def test_what_is_no_active_is_refused(broker: MemoryBroker) -> None:
    watch = DeploymentWatch(broker.bus("camera"), SITE, DEPLOYMENT, lambda _message: None)
    with pytest.raises(MessageError):
        watch.take(Message(ACTIVE_TOPIC, b"garbage"))
    assert watch.active is None


def test_a_fog_founded_before_cameras_might_read_the_status_serves_them_still(
    broker: MemoryBroker,
) -> None:
    watch = DeploymentWatch(broker.bus("camera"), SITE, DEPLOYMENT, lambda _message: None)
    assert not watch.forbids(NotAllowedError(STATUS_TOPIC, "read", "not authorised"))
    assert watch.forbids(NotAllowedError(ACTIVE_TOPIC, "read", "not authorised"))
    assert watch.forbids(TakenOverError("camera", "taken over"))
