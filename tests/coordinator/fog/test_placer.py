"""The placer as a process of its own: it gives what the direct one gives, and its death is nobody's."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from textwrap import dedent

import psutil
import pytest

from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.placer import DirectPlacer, Placer
from coordinator.fog.placing import Placed
from coordinator.fog.taken import Taken
from tests.coordinator.fog.toys import bundle, info

NODES = {name: info(name) for name in "abc"}
REQUESTS = {
    "alone": LayoutRequest(bundle(3), NODES),
    "at a rate": LayoutRequest(bundle(4), NODES, frames_per_s=40.0),
    "beside others": LayoutRequest(bundle(), NODES, taken={"a": Taken(0.9, 1e7, 1e7, 10)}),
    "nowhere": LayoutRequest(bundle(), {}),
    "without memory": LayoutRequest(bundle(), {"a": info("a", memory=10)}),
}
LARGE = LayoutRequest(bundle(2500), {n: info(n, memory=10**9) for n in "ab"}, frames_per_s=1.0)
PATIENCE_S = 120.0  # compiling, on a machine that never did


@contextmanager
def placer(**arguments: object) -> Iterator[tuple[Placer, Queue[Placed]]]:
    answers: Queue[Placed] = Queue()
    made = Placer(answers.put, **arguments)  # type: ignore[arg-type]
    try:
        yield made, answers
    finally:
        made.close()


def the_process() -> psutil.Process:
    (found,) = [
        child
        for child in psutil.Process().children()
        if "coordinator.fog.placement_process" in child.cmdline()
    ]
    return found


def scripted(program: str) -> list[str]:
    """What may go wrong in place of the process: it gets the descriptor of its pipe as an argument."""
    return [sys.executable, "-c", dedent(program)]


def test_a_process_places_as_the_direct_placer_does_and_is_begun_anew_when_it_dies() -> None:
    direct: list[Placed] = []
    twin = DirectPlacer(direct.append)
    with placer() as (placing, answers):
        for key, request in REQUESTS.items():
            assert placing.submit(key, request) == twin.submit(key, request)
            assert answers.get(timeout=PATIENCE_S) == direct[-1]
        the_process().kill()
        placing.submit("alone", REQUESTS["alone"])
        assert answers.get(timeout=PATIENCE_S).layout == direct[0].layout


def test_closing_ends_the_process_whatever_is_in_work_and_nothing_is_answered_any_more() -> None:
    with placer() as (placing, answers):
        placing.submit("small", REQUESTS["alone"])
        answers.get(timeout=PATIENCE_S)
        placing.submit("large", LARGE)
        process = the_process()
        placing.close()
        process.wait(PATIENCE_S)
        assert answers.empty()


def test_a_request_that_takes_too_long_is_answered_with_a_reason() -> None:
    with placer(limit_s=0.01) as (placing, answers):
        placing.start()
        placing.submit("large", LARGE)
        placed = answers.get(timeout=PATIENCE_S)
        assert placed.layout is None
        assert placed.reason == "the placement took longer than 0.01 s"


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(1)",
        """
        import sys
        from multiprocessing.connection import Connection
        pipe = Connection(int(sys.argv[1]))
        pipe.send(None)
        pipe.recv()
        """,
    ],
    ids=["at its start", "of the request"],
)
def test_a_request_that_the_process_died_of_twice_is_answered_with_a_reason(program: str) -> None:
    with placer(command=scripted(program)) as (placing, answers):
        placing.submit("alone", REQUESTS["alone"])
        placed = answers.get(timeout=PATIENCE_S)
        assert placed.layout is None
        assert "twice" in placed.reason


def test_a_command_that_is_not_there_is_a_death_too() -> None:
    with placer(command=["/no/such/python"]) as (placing, answers):
        placing.submit("alone", REQUESTS["alone"])
        assert "twice" in answers.get(timeout=PATIENCE_S).reason


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a busy child with its parent")
def test_the_process_ends_with_a_coordinator_that_is_killed_while_it_places() -> None:
    program = """
        import time
        from queue import Queue
        from coordinator.fog.placer import Placer
        from tests.coordinator.fog.test_placer import LARGE, REQUESTS
        answers = Queue()
        placer = Placer(answers.put)
        placer.submit("alone", REQUESTS["alone"])
        answers.get()
        placer.submit("large", LARGE)
        print("placing", flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", dedent(program)], stdout=subprocess.PIPE, text=True
    ) as coordinator:
        assert coordinator.stdout is not None
        assert coordinator.stdout.readline() == "placing\n"
        (process,) = psutil.Process(coordinator.pid).children()
        coordinator.send_signal(signal.SIGKILL)
        process.wait(10.0)  # LARGE takes longer
