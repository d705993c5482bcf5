"""What may take how long, and what happens to it then: decided without a clock, then done for real."""

import threading

import numpy as np
import pytest

from fog_node import watchdog
from fog_node.runtime import OnnxSession, RuntimeFailureError
from fog_node.watchdog import Spent, Watchdog, Watched, verdict
from tests.fog_node.hostile_models import HOSTILE

LIMIT = 5.0
NEVER = 1e9


@pytest.mark.parametrize(
    ("cpu_s", "wall_s", "expected"),
    [
        (0.0, 0.0, "go on"),
        (4.9, 60.0, "go on"),  # a busy device: hardly any of the minute was its own
        (5.1, 5.1, "end it"),
        (0.0, 66.0, "end it"),  # it waits for something that does not come
    ],
)
def test_the_limit_is_in_processor_time_and_hardly_on_the_wall(
    cpu_s: float, wall_s: float, expected: str
) -> None:
    assert verdict(Spent(cpu_s, wall_s), LIMIT, None) == expected


@pytest.mark.parametrize(
    ("cpu_s", "wall_s", "expected"),
    [(4.9, 10.0, "go on"), (5.1, 5.1, "give up"), (0.0, 61.0, "give up")],
)
def test_what_was_told_to_end_has_as_long_again(cpu_s: float, wall_s: float, expected: str) -> None:
    assert verdict(Spent(99.0, 99.0), LIMIT, Spent(cpu_s, wall_s)) == expected


@pytest.fixture
def given_up() -> list[Watched]:
    return []


@pytest.fixture
def dog(given_up: list[Watched], monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    """A watchdog that looks when the test says so, or with ``POLL_S`` of its own."""
    monkeypatch.setattr(watchdog, "POLL_S", 0.01)
    return Watchdog(given_up.append)


def test_a_loop_without_an_end_is_ended_from_outside(dog: Watchdog) -> None:
    session = OnnxSession(HOSTILE["loop_that_ends_on_zeros_only"](), 1)
    assert session.measure() > 0
    watched = Watched("a run", "0" * 64, limit_s=0.05)
    bright = {"input": np.ones((1, 1, 2, 2), np.float32)}
    with dog.over(watched), pytest.raises(RuntimeFailureError, match="terminate"):
        session.run(bright, watched)
    assert watched.reason == "did not end within 0.1 s"
    assert session.run({})["left"].shape == (1, 2)


def test_a_measurement_without_an_end_is_ended_from_outside(dog: Watchdog) -> None:
    watched = Watched("a load", "0" * 64, limit_s=0.05)
    with dog.over(watched), pytest.raises(RuntimeFailureError):
        OnnxSession(HOSTILE["endless_loop"](), 1, watched).measure(watched)
    assert watched.reason


def test_a_load_that_was_told_to_end_before_it_began_does_not_begin(dog: Watchdog) -> None:
    watched = Watched("a load", "0" * 64, limit_s=NEVER)
    watched.tell("enough")
    with dog.over(watched), pytest.raises(RuntimeFailureError):
        OnnxSession(HOSTILE["other_shape_than_assigned"](), 1, watched).measure(watched)


def test_what_takes_too_much_memory_is_told_to_end(dog: Watchdog) -> None:
    told = threading.Event()
    watched = Watched("a load", "0" * 64, limit_s=NEVER, most_bytes=2**24)
    watched.ends_by(told.set)
    with dog.over(watched):
        taken = np.ones(2**24, np.float32)  # 64 MB
        assert told.wait(20)
    assert watched.reason.startswith("took ")
    assert taken.size


def test_what_does_not_end_when_told_is_given_up(
    dog: Watchdog, given_up: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "GRACE_S", 0.02)
    watched = Watched("a run", "0" * 64, limit_s=0.02)
    with dog.over(watched):
        while not given_up:
            sum(range(1000))
    assert given_up[0] is watched
