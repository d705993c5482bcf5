"""README's second section, command by command: from a folder of pictures to the answers of a camera."""

import shlex
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.made.sets import MadeSet, write
from coordinator.demo.processes import Processes
from tests.fog_node.sources.web_camera import WebCamera

SECTION = "## Your own pictures, your own camera"
README = Path("README.md").read_text(encoding="utf-8")
ENDS_S = 100.0
READY = {
    "fog-broker run": "broker ready",
    "fog-coordinator serve": "ready for",
    "fog-node run": "ready:",
    "fog-camera stream": "",
}
"""What runs until it is stopped, and what it says when it is of use."""


def commands() -> list[list[str]]:
    """Return the commands of the section, as a shell would read them."""
    _, _, after = README.partition(f"\n{SECTION}\n")
    section, _, _ = after.partition("\n## ")
    lines = [line.strip() for line in section.splitlines() if line.startswith("    fog-")]
    return [shlex.split(line, comments=True) for line in lines]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def fitted(command: list[str], number: int, port: str, camera: str) -> list[str]:
    """Return a command for this machine and this test: another port, a made camera, little to compute."""
    words = [camera if word.startswith("http://CAMERA") else word for word in command]
    added = {
        "fog-broker run": ["--port", port],
        "fog-coordinator inspect": [],
        "fog-coordinator learn": ["--epochs", "2"],
        "fog-coordinator answers": ["--count", "2"],
        "fog-coordinator serve": ["--state-dir", f"state-{number}"],
        "fog-node run": ["--state-dir", f"state-{number}"],
        "fog-camera stream": ["--every", "0.1"],
    }
    kind = " ".join(command[:2])
    if "--every" in words:
        del words[words.index("--every") :]
    alone = ("fog-broker run", "fog-coordinator inspect", "fog-coordinator learn")
    broker = [] if kind in alone else ["--broker", f"mqtt://127.0.0.1:{port}"]
    return [*words, *added.get(kind, []), *broker]


def goes_on(command: list[str]) -> bool:
    """Whether a command runs until it is stopped; a folder's pictures come to an end."""
    of_folder = command[-2:] == ["--source", "bin"]
    return " ".join(command[:2]) in READY and not of_folder


def said(processes: Processes, name: str, words: str) -> None:
    """Wait until a process says something."""
    until = time.monotonic() + ENDS_S
    while words not in processes.output(name) + processes.log(name):
        assert processes.code(name) is None, processes.last_words(name)
        assert time.monotonic() < until, f"{name} never said {words!r}"
        time.sleep(0.02)


@pytest.fixture
def camera() -> Iterator[WebCamera]:
    running = WebCamera()
    yield running
    running.close()


def test_the_section_is_the_second_and_shows_what_it_says() -> None:
    sections = [line for line in README.splitlines() if line.startswith("## ")]
    assert sections[:2] == ["## Two commands", SECTION]
    assert {command[0] for command in commands()} == {
        "fog-broker", "fog-camera", "fog-coordinator", "fog-node",
    }  # fmt: skip
    for picture in ("inspect", "learn-report"):
        assert Path(f"docs/pictures/{picture}.png").stat().st_size > 10_000


def test_every_command_does_what_it_says(
    tmp_path: Path, camera: WebCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(MadeSet("state", pictures=10, seed=15, size=(32, 24)), tmp_path / "bin")
    monkeypatch.chdir(tmp_path)
    port = free_port()
    with Processes(tmp_path) as processes:
        for number, command in enumerate(commands()):
            name, words = f"command-{number}", fitted(command, number, port, camera.url)
            processes.start(name, words[0], *words[1:])
            if goes_on(command):
                said(processes, name, READY[" ".join(command[:2])])
            else:
                assert processes.wait(name, ENDS_S) == 0, processes.last_words(name)
        answers = processes.output(f"command-{len(commands()) - 1}")
        assert answers.count("door  ") == 2
        assert not processes.died()
    assert (tmp_path / "bin-inspect.html").exists()
    assert (tmp_path / "bin-learned" / "report.html").exists()
