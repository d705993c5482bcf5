"""Told to end, a command ends: by itself when it can, and in any case."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import indent

import psutil
import pytest

from broker.ending import Ended, Stop, ended_by_signals, held, stopped_by_signals
from tests.broker.processes import Process, ended, gone, line, started

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
BEGIN = """
import sys, time
from threading import Event
from broker import ending
from broker.entry import run_command
ending.PATIENCE_S = {patience}
def say(word):
    print(word, flush=True)
def app(**_):
{body}
run_command("fog", lambda: app)
"""


@contextmanager
def command(body: str, patience: float = 60.0) -> Iterator[Process]:
    """Start a command and yield it once it has said ``ready``."""
    code = BEGIN.format(patience=patience, body=indent(body, "    "))
    with started("-c", code) as process:
        assert line(process) == "ready"
        yield process


@BOTH
def test_what_serves_is_asked_to_stop_and_ends_by_itself(number: signal.Signals) -> None:
    body = """
asked = Event()
with ending.stopped_by_signals() as stop:
    stop.calls(asked.set)
    say("ready")
    asked.wait()
    say(f"goodbye {stop.told}")
"""
    with command(body) as process:
        process.send_signal(number)
        assert ended(process) == (0, "goodbye True\n", "")


def test_what_does_not_stop_is_ended_with_those_that_it_started() -> None:
    body = """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with ending.stopped_by_signals(late_code=7):
    say("ready")
    say(child.pid)
    time.sleep(600)
"""
    with command(body, patience=0.1) as process:
        child = psutil.Process(int(line(process)))
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (7, "", "")
        assert gone([child])


def test_what_stops_but_cannot_end_is_ended_too() -> None:
    body = """
asked = Event()
with ending.stopped_by_signals() as stop:
    stop.calls(asked.set)
    say("ready")
    asked.wait()
time.sleep(600)
"""
    with command(body, patience=0.1) as process:
        process.send_signal(signal.SIGINT)
        assert ended(process) == (0, "", "")


@BOTH
def test_what_computes_is_interrupted_and_tidies_up_whatever_else_comes(
    number: signal.Signals,
) -> None:
    body = """
import os
try:
    with ending.ended_by_signals():
        try:
            say("ready")
            Event().wait()
        finally:
            os.kill(os.getpid(), ending.signal.SIGINT)
            os.kill(os.getpid(), ending.signal.SIGTERM)
            say("tidied up")
except ending.Ended as end:
    sys.exit(end.code)
"""
    with command(body) as process:
        process.send_signal(number)
        assert ended(process) == (128 + number, "tidied up\n", "")


def test_what_cannot_be_interrupted_is_ended() -> None:
    body = """
with ending.ended_by_signals():
    while True:
        try:
            say("ready")
            time.sleep(600)
        except BaseException:
            pass
"""
    with command(body, patience=0.1) as process:
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "ready\n", "")


def test_an_interruption_that_a_destructor_swallows_is_not_lost() -> None:
    body = """
class Deaf:
    def __del__(self):
        say("ready")
        time.sleep(600)
try:
    with ending.ended_by_signals():
        deaf = Deaf()
        del deaf
        time.sleep(600)
except ending.Ended as end:
    sys.exit(end.code)
"""
    with command(body) as process:
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "", "")


def test_an_interruption_that_nobody_catches_is_no_mistake_of_ours() -> None:
    body = """
with ending.ended_by_signals():
    say("ready")
    time.sleep(600)
"""
    with command(body) as process:
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "", "")


def test_an_interruption_waits_until_what_is_being_started_is_known() -> None:
    known = []

    def begin() -> None:
        with ended_by_signals():
            with held():
                with held():
                    os.kill(os.getpid(), signal.SIGTERM)
                    known.append("inner")
                known.append("outer")
            known.append("never")

    with pytest.raises(Ended, match="SIGTERM"):
        begin()
    assert known == ["inner", "outer"]


def test_within_another_process_the_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopped_by_signals() as stop:
        assert not stop.told
    with pytest.raises(Ended), ended_by_signals():
        os.kill(os.getpid(), signal.SIGINT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_whoever_asks_late_is_called_at_once_and_everybody_once() -> None:
    stop = Stop()
    heard: list[str] = []
    stop.calls(lambda: heard.append("early"))
    assert not stop.told
    stop.tell()
    stop.tell()
    stop.calls(lambda: heard.append("late"))
    assert stop.told
    assert heard == ["early", "late"]
