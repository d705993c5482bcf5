"""Told to end while its processes start, a command ends with all of them, and nothing is lost."""

import os
import signal
import time
from pathlib import Path

import psutil

from tests.broker.processes import HANGS_S, Process, ended, gone, started
from tests.coordinator.search.test_search_commands import run, write, write_table

COMMAND = "from coordinator.entry import fog_coordinator; fog_coordinator()"


def evaluators(process: Process) -> list[psutil.Process]:
    """Return the processes that a command started, once there is an evaluator among them."""
    until = time.monotonic() + HANGS_S
    while time.monotonic() < until:
        children = psutil.Process(process.pid).children(recursive=True)
        for child in children:
            try:
                if "spawn_main" in " ".join(child.cmdline()):
                    return children
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.01)
    raise AssertionError("no evaluator was started")


def test_a_search_whose_evaluators_are_starting_ends_with_them_and_resumes(tmp_path: Path) -> None:
    write_table(tmp_path)
    space = {"nodes": [3, 2], "branches": 1}
    config = write(tmp_path, evaluator="table", table="table.csv", space=space, workers=3)
    out = tmp_path / "run"
    arguments = ["search", str(config), "--out", str(out), "--resume"]
    for number in (signal.SIGINT, signal.SIGTERM):
        with started("-c", COMMAND, *arguments, group=True) as process:
            children = evaluators(process)
            os.killpg(process.pid, number)  # to all of them, as a terminal does
            code, said, complaints = ended(process)
        assert code == 128 + number
        assert "forecast: " in said
        assert complaints == f"error: {out}: ended; --resume goes on with what is measured\n"
        assert gone(children)
    assert run(*arguments)[0] == 0


def test_a_demo_that_is_ended_leaves_no_process_behind(tmp_path: Path) -> None:
    with started("-c", COMMAND, "demo", "--out", str(tmp_path), "--json") as process:
        children = evaluators(process)
        process.send_signal(signal.SIGTERM)
        code, said, complaints = ended(process)
    assert (code, said) == (143, "")
    *bar, line = complaints.splitlines()
    assert line == "error: the demo was ended; all that it started has ended too"
    assert all(text.startswith("search") for text in bar)
    assert gone(children)
