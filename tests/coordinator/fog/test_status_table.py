"""What a person sees: one scene a test, as plain text."""

from io import StringIO

import pytest
from rich.console import Console

from broker.bus.seam import Message
from broker.camera_state import State
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import OFFLINE, ONLINE, Beat, Measured, Predicted, Status
from broker.topics import (
    ACTIVE,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_BEAT,
    NODE_INFO,
    NODE_STATE,
    SPEC,
    STATE,
    STATUS,
)
from coordinator.fog.site_snapshot import SiteSnapshot
from coordinator.fog.status_lines import span, status_lines
from coordinator.fog.status_table import status_tables
from tests.coordinator.fog.toys import NAME, SITE, active, info

UNIX, NOW = 1_800_000_000.0, 100.0
PLACEMENT = {"branch0-stage0": "fog-1", "branch1-stage0": "fog-2", "fusion": "fog-1"}
HEALTHY = Status(
    deployment=NAME,
    revision=1,
    phase="serving",
    epoch=3,
    since=UNIX - 754,
    placement=PLACEMENT,
    standby="fog-2",
    predicted=Predicted(response_s=0.038, lower_bound_s=0.03, frames_per_s=48.0, p95_s=0.05),
    measured=Measured(response_s=0.041, frames_per_s=19.8, incomplete=0.0),
)


class Scene:
    """A site in which all is well, unless a test says otherwise."""

    def __init__(self) -> None:
        self.site = SiteSnapshot()
        self.hear(COORDINATOR_STATE.at(SITE), ONLINE)
        for node in ("fog-1", "fog-2", "fog-3"):
            self.hear(NODE_STATE.at(SITE, node=node), ONLINE)
            self.hear(NODE_INFO.at(SITE, node=node), info(node, memory=512_000_000).encode())
        self.hear(SPEC.at(SITE, deployment=NAME), b"{}")
        self.hear(ACTIVE.at(SITE, deployment=NAME), active(epoch=3).encode())

    def hear(self, topic: str, payload: bytes) -> None:
        self.site.hear(Message(topic, payload), NOW - 0.4)

    def coordinator_beats(self) -> None:
        beat = CoordinatorBeat(role="coordinator", session=1, sequence=1, queues={}, counters={})
        self.hear(COORDINATOR_BEAT.at(SITE), beat.encode())

    def beats(self, *nodes: str) -> None:
        for node in nodes:
            beat = Beat(session=1, sequence=9, epoch=3, load=0.3, queues={}, counters={})
            self.hear(NODE_BEAT.at(SITE, node=node), beat.encode())

    def status(self, **changed: object) -> None:
        told = HEALTHY.model_copy(update=changed)
        self.hear(STATUS.at(SITE, deployment=NAME), told.encode())

    def text(self, width: int = 100) -> str:
        """Return what is printed where there is no terminal."""
        out = StringIO()
        console = Console(file=out, width=width)
        for line in status_lines(self.site, NOW, UNIX):
            console.print(line, soft_wrap=True)
        for table in status_tables(self.site, NOW, UNIX):
            console.print(table)
        print(out.getvalue())  # noqa: T201
        return out.getvalue()


def row(text: str, first: str) -> str:
    """Return the lines of the row whose first cell says this, cells joined."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip("│ ").startswith(first + " "))
    found = [lines[start]]
    for line in lines[start + 1 :]:
        if line.startswith("│  "):
            found.append(line)
        else:
            break
    return " ".join(" ".join(found).replace("│", " ").split())


def test_a_healthy_site() -> None:
    scene = Scene()
    scene.coordinator_beats()
    scene.beats("fog-1", "fog-2", "fog-3")
    scene.status()
    text = scene.text()
    assert text.splitlines()[:2] == [
        "fog-coordinator answers, heard 0.4 s ago",
        "digits: serving for 12 min",
    ]
    assert row(text, NAME) == ("digits serving 3 41 ms 19.8 0.0% predicted 38 ms up to 48")
    assert row(text, "fog-1") == (
        "fog-1 online 0.4 s ago 30% 1 512 MB digits: branch0-stage0, fusion"
    )
    assert row(text, "fog-2").endswith("digits: branch1-stage0, standby of the fusion")
    assert "Cameras" not in text


def test_what_cameras_show_and_which_of_them_are_silent() -> None:
    scene = Scene()
    for camera, silent in (("hall", None), ("yard", UNIX - 4000)):
        state = State(
            deployment=NAME,
            camera=camera,
            label="[red]7",
            confidence=0.974,
            since=UNIX - 7300,
            silent_since=silent,
        )
        scene.hear(STATE.at(SITE, deployment=NAME, camera=camera), state.encode())
    text = scene.text()
    assert row(text, "hall") == f"hall {NAME} [red]7 97% 2 h"
    assert row(text, "yard") == f"yard {NAME} [red]7 97% silent for 1 h"


def test_a_slow_node() -> None:
    scene = Scene()
    scene.coordinator_beats()
    scene.beats("fog-1", "fog-2", "fog-3")
    scene.status(slow={"fog-3": "takes 9.8 times as long as expected"})
    text = scene.text()
    assert "digits: fog-3 takes 9.8 times as long as expected" in text.splitlines()
    assert row(text, "fog-3").startswith("fog-3 slow 0.4 s ago")


def test_a_dead_node_while_the_next_epoch_is_prepared() -> None:
    scene = Scene()
    scene.coordinator_beats()
    scene.beats("fog-1", "fog-3")
    scene.hear(NODE_STATE.at(SITE, node="fog-2"), OFFLINE)
    scene.status(
        phase="preparing",
        epoch=4,
        since=UNIX - 0.5,
        degraded="fog-2 is gone",
        measured=Measured(response_s=0.041, frames_per_s=19.8, incomplete=0.234),
    )
    text = scene.text()
    assert "digits: preparing for 0 s, the epoch before serves: fog-2 is gone" in text
    assert row(text, NAME).startswith("digits preparing 4 41 ms 19.8 23.4%")
    assert row(text, "fog-2").startswith("fog-2 offline not heard")


def test_a_degraded_deployment() -> None:
    scene = Scene()
    scene.coordinator_beats()
    scene.beats("fog-1", "fog-2", "fog-3")
    why = "hears the broker 2.3 s late"
    scene.status(
        degraded=f"fog-2 {why}; 52% of the answers lack branch1-logits",
        slow={"fog-2": why},
        measured=Measured(response_s=0.31, frames_per_s=11.2, incomplete=0.52),
    )
    text = scene.text()
    assert (
        "digits: serving for 12 min, degraded: fog-2 hears the broker 2.3 s late; "
        "52% of the answers lack branch1-logits" in text.splitlines()
    )
    assert text.count(why) == 1
    assert row(text, NAME).startswith("digits degraded 3 310 ms 11.2 52.0%")


def test_a_deployment_that_waits_for_nodes() -> None:
    scene = Scene()
    scene.coordinator_beats()
    for node in ("fog-1", "fog-2", "fog-3"):
        scene.hear(NODE_STATE.at(SITE, node=node), OFFLINE)
    scene.hear(ACTIVE.at(SITE, deployment=NAME), b"")
    scene.status(
        phase="waiting",
        reason="no fog node is online",
        epoch=0,
        placement={},
        predicted=None,
        measured=None,
    )
    text = scene.text()
    assert "digits: waiting for 12 min, nothing serves: no fog node is online" in text
    assert row(text, NAME) == "digits waiting - - -"


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (OFFLINE, "no coordinator is running in this site; start one: fog-coordinator serve"),
        (ONLINE, "fog-coordinator does not answer: its state says online, but it has not beaten"),
    ],
)
def test_no_coordinator(state: bytes, line: str) -> None:
    scene = Scene()
    scene.hear(COORDINATOR_STATE.at(SITE), state)
    scene.beats("fog-1", "fog-2")
    scene.status()
    text = scene.text()
    assert text.startswith(line)
    assert "as they were when a coordinator last spoke" in text
    assert row(text, "fog-3").startswith("fog-3 silent not heard")
    assert "fog-3: its state says online, but it has not beaten for 3.5 s" in text


def test_what_is_wanted_or_left_over() -> None:
    scene = Scene()
    scene.status()
    scene.hear(SPEC.at(SITE, deployment=NAME), b"")
    scene.hear(SPEC.at(SITE, deployment="faces"), b"{}")
    text = scene.text()
    assert "faces: wanted, but no coordinator has taken it up" in text
    assert "digits: nobody wants it any more; clear what is left: fog-coordinator undeploy" in text


def test_a_deployment_that_was_refused_says_why() -> None:
    scene = Scene()
    scene.status(phase="failed", reason="digits is not signed; deploy it with --key")
    scene.hear(SPEC.at(SITE, deployment=NAME), b"")
    text = scene.text()
    assert "digits: refused: digits is not signed; deploy it with --key; deploy it anew" in text
    assert "nobody wants it" not in text


def test_a_terminal_of_80_columns_is_wide_enough() -> None:
    scene = Scene()
    scene.coordinator_beats()
    scene.beats("fog-1", "fog-2", "fog-3")
    scene.status()
    assert row(scene.text(width=80), NAME) == row(scene.text(width=200), NAME)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (7300, "2 h"), (2e5, "2 d")]
)
def test_lengths_of_time(seconds: float, told: str) -> None:
    assert span(seconds) == told
