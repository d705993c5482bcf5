"""fog-node and fog-camera in a closed fog: a join file is all that they need, and what is refused is said."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.messages import Active, BundleName
from broker.topics import ACTIVE, NODE_INFO, NODE_STATE
from tests.broker.processes import HANGS_S, ended, line, started
from tests.broker.secured_broker import SITE, SecuredBroker
from tests.fog_node.scene import PICTURE

NODE = "from fog_node.entry import fog_node; fog_node()"
CAMERA = "from fog_node.entry import fog_camera; fog_camera()"


@pytest.fixture
def desk(secured: SecuredBroker) -> Iterator[MqttBus]:
    """Somebody who may hear and say everything."""
    bus = MqttBus.connect(secured.url(), "desk", credentials=secured.credentials("anna"))
    yield bus
    bus.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "1.png"
    Image.new("L", (4, 4), 9).save(path)
    return path


def test_a_node_needs_its_join_file_only(
    secured: SecuredBroker, desk: MqttBus, tmp_path: Path
) -> None:
    heard = Inbox[Message]()
    names = {"site": SITE, "node": "pi"}
    for topic in (NODE_STATE, NODE_INFO):
        desk.subscribe(topic.at(**names), heard.put)
    file = secured.join_file("node", "pi")
    options = ["--join", str(file), "--state-dir", str(tmp_path), "--threads", "1"]
    with started("-c", NODE, "run", *options) as process:
        said = line(process)
        assert said.startswith("fog-node pi ready: ")
        assert said.endswith("; runs only what is signed by the operator")
        topics = {message.topic for _ in range(2) if (message := heard.get(HANGS_S))}
        assert topics == {NODE_STATE.at(**names), NODE_INFO.at(**names)}
        with started("-c", NODE, "run", *options) as second:
            code, _, complaint = ended(second)
        assert code == 2
        assert "another fog-node with the id pi is running at this broker" in complaint
        process.send_signal(signal.SIGTERM)
        code, _, complaint = ended(process)
    assert code == 0
    assert "refused" not in complaint


def test_a_node_that_is_refused_says_so_once_and_goes_on_trying(
    secured: SecuredBroker, tmp_path: Path
) -> None:
    file = secured.join_file("node", "pi", password="of last year")  # noqa: S106 - on purpose
    options = ["--join", str(file), "--state-dir", str(tmp_path)]
    with started("-c", NODE, "run", *options) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert f"refused by {secured.url()}: it does not let 'ask/pi' in" in said
        assert "trying again" in said
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")


def test_a_camera_needs_its_join_file_and_what_it_is_to_show(
    secured: SecuredBroker, desk: MqttBus, picture: Path
) -> None:
    serve_nothing(desk)
    for name, refused in (("door", False), ("blind", True)):
        file = secured.join_file("camera", name)
        options = ["--deployment", "digits", "--source", str(picture), "--join", str(file)]
        options += ["--delivery", "reliable", "--count", "1", "--wait", "1"]
        with started("-c", CAMERA, "stream", *options) as process:
            code, out, complaint = ended(process)
        assert code == 1
        assert out.startswith(f"{name}: 1 sent, 0 answered")
        right = f"the broker refused the right to write fog/v2/{SITE}/frame/digits/{name}"
        assert (right in complaint) == refused


def serve_nothing(desk: MqttBus) -> None:
    """Have a deployment be active that nobody answers for."""
    active = Active(
        deployment="digits",
        epoch=1,
        bundle=BundleName(name="digits", version="1"),
        classes=("a",),
        input=PICTURE,
    )
    desk.publish(ACTIVE.at(SITE, deployment="digits"), active.encode(), retain=True)


def test_a_camera_that_may_not_hear_what_serves_ends_with_that(
    secured: SecuredBroker, picture: Path
) -> None:
    file = secured.join_file("camera", "deaf")
    options = ["--deployment", "digits", "--source", str(picture), "--join", str(file)]
    with started("-c", CAMERA, "stream", *options) as process:
        code, out, complaint = ended(process)
    assert (code, out) == (2, "")
    *_, last = complaint.splitlines()
    topic = ACTIVE.at(SITE, deployment="digits")
    assert last.startswith(f"error: the broker refused the right to read {topic} (Not authorized)")
