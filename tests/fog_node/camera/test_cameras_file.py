"""``cameras.yaml``: what it comes to, and one line that names the field for whatever is wrong in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from broker.access.redaction import redacted
from broker.files.file_model import read_model
from broker.files.text import FileError
from fog_node.camera.cameras_file import CamerasFile
from fog_node.camera.cameras_plan import Planned, check_shared, plan
from fog_node.camera.motion import Motion
from fog_node.camera.settings import Pace

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        path = tmp_path / "cameras.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def planned(path: Path, **environment: str) -> list[Planned]:
    return plan(read_model(path, CamerasFile), path.parent, environment)


def refusal(path: Path, **environment: str) -> str:
    """Return the one line that a file is refused with."""
    with pytest.raises((FileError, ValueError)) as caught:
        planned(path, **environment)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_says_what_each_camera_sends_where(write: Write, tmp_path: Path) -> None:
    path = write("""
broker: mqtt://fog:1883
cameras:
  - {id: door, source: pictures, deployments: [bins, doors], every: 4, motion: true}
  - {id: yard, source_env: YARD, deployments: [bins], delivery: reliable, motion: 0.2, keep_alive: 5}
  - source: mqtt:frigate/+/cat/snapshot
    deployments: [cats]
    source_broker: mqtt://me@frigate
    source_password_env: FRIGATE
""")
    door, yard, cats = planned(path, YARD="rtsp://me:secret@yard/1", FRIGATE="Zq7")
    assert (door.source, door.name) == (str(tmp_path / "pictures"), "door")
    assert door.entry.deployments == ("bins", "doors")
    assert door.entry.pace == Pace(fps=0.25, motion=Motion(0.01, 60.0))
    assert yard.source == "rtsp://me:secret@yard/1"
    assert yard.entry.pace == Pace(delivery="reliable", motion=Motion(0.2, 5.0))
    assert (cats.name, cats.entry.pace) == ("", Pace())
    assert cats.broker is not None
    assert (cats.broker.credentials.user, cats.broker.credentials.password) == ("me", "Zq7")
    assert "Zq7" not in repr(cats)


DOOR = "id: door, source: mnist, deployments: [bins]"
WRONG = {
    "": "is empty",
    "[]": "has no fields",
    "broker: mqtt://x": "cameras: Field required",
    "cameras: []": "cameras: Tuple should have at least 1 item",
    "cameras: {}": "cameras: Input should be a valid tuple",
    f"cameras: [{{{DOOR}, colour: red}}]": "cameras.0: colour: no such field",
    f"kameras: [{{{DOOR}}}]": "kameras: no such field; did you mean cameras?",
    f"cameras: [{{{DOOR}}}]\ncameras: [{{{DOOR}}}]": "cameras: is there twice",
    f"cameras: [{{{DOOR}}}, {{{DOOR}}}]": "cameras: id door is there twice",
    "cameras: [{id: door, deployments: [bins]}]": "one of source and source_env",
    f"cameras: [{{{DOOR}, source_env: X}}]": "one of source and source_env",
    "cameras: [{source: mnist, deployments: [bins]}]": "id: is missing",
    "cameras: [{id: Door, source: mnist, deployments: [bins]}]": "cameras.0.id: ",
    "cameras: [{id: door, source: mnist}]": "cameras.0.deployments: Field required",
    "cameras: [{id: door, source: mnist, deployments: bins}]": "cameras.0.deployments: ",
    "cameras: [{id: door, source: mnist, deployments: []}]": "cameras.0.deployments: ",
    "cameras: [{id: door, source: mnist, deployments: [a, a]}]": "deployments: one is there twice",
    f"cameras: [{{{DOOR}, fps: 0}}]": "cameras.0.fps: ",
    f"cameras: [{{{DOOR}, fps: .nan}}]": "cameras.0.fps: ",
    f"cameras: [{{{DOOR}, fps: 1, every: 1}}]": "fps and every are two ways",
    f"cameras: [{{{DOOR}, every: -1}}]": "cameras.0.every: ",
    f"cameras: [{{{DOOR}, motion: 2}}]": "cameras.0.motion: is true, false, or the share",
    f"cameras: [{{{DOOR}, motion: maybe}}]": "cameras.0.motion: is true, false, or the share",
    "cameras: [{id: a, source: 'mqtt:$share/g/a', deployments: [b]}]": "leave $share/GROUP/ out",
    f"cameras: [{{{DOOR}, delivery: maybe}}]": "cameras.0.delivery: ",
    f"cameras: [{{{DOOR}, count: 0}}]": "cameras.0.count: ",
    f"cameras: [{{{DOOR}, source_broker: 'mqtt://x'}}]": "source_broker: is for a source mqtt:",
    f"cameras: [{{{DOOR}, join: no.join}}]": "cameras.0.join: ",
    f"cameras: [{{{DOOR}, source_ca: no.pem}}]": "cameras.0.source_ca: ",
    "cameras: [{id: a, source: 'webcam:x', deployments: [b]}]": "a webcam has a number",
    "cameras: [{id: a, source: 'http://', deployments: [b]}]": "no address of a camera",
    "cameras: [{id: a, source: 'mqtt:a/#/b', deployments: [b]}]": "is not a topic filter",
    "cameras: [{id: a, source: 'mqtt:a/+', deployments: [b]}]": "leave id and join out",
    "cameras: [{source: 'mqtt:a/+', deployments: [b], source_password_env: X}]": "source_broker: is missing",
    "cameras: [{source: 'mqtt:a/+', deployments: [b], source_broker: 'x'}]": "cameras.0.source_broker: ",
    "cameras: [{source: 'mqtt:a/+', deployments: [b], source_broker: 'mqtt://x', source_password_env: X}]":
        "cameras.0.source_password_env: X is not set",
    "cameras: [{id: a, source_env: NONE, deployments: [b]}]": "cameras.0.source_env: NONE is not set",
    "cameras: [{id: a, source: 'webcam:0', deployments: [b]}, {id: c, source: 'webcam:0', deployments: [d]}]":
        "two have the same source",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_one_line_that_names_it(write: Write, text: str) -> None:
    assert WRONG[text] in refusal(write(text))


def test_a_motion_of_1_is_all_of_the_picture_and_not_yes(write: Write) -> None:
    levels = [
        planned(write(f"cameras: [{{{DOOR}, motion: {motion}}}]"))[0].entry.pace.motion
        for motion in ("1", "0", "true", "false")
    ]
    assert levels == [Motion(1.0, 60.0), Motion(0.0, 60.0), Motion(0.01, 60.0), None]


def test_no_refusal_shows_a_password(write: Write) -> None:
    entry = "cameras: [{id: a, source: 'http://me:secret@host:0/', deployments: [b]}]"
    assert "secret" not in redacted(refusal(write(entry)))
    entry = "cameras: [{id: a, source_env: X, deployments: [b]}]"
    assert "secret" not in redacted(refusal(write(entry), X="http://me:secret@:80"))


def test_in_a_closed_fog_each_camera_has_its_own_join_file(write: Write) -> None:
    path = write("cameras: [{id: door, source: mnist, deployments: [b]}]")
    check_shared(planned(path), None)
    check_shared(planned(path), "door")
    with pytest.raises(ValueError, match="the join file is of yard; give this camera one of its"):
        check_shared(planned(path), "yard")
