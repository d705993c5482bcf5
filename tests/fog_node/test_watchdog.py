"""What may take how long, and what happens to it then: decided without a clock, then done for real."""

import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from fog_node import watchdog
from fog_node.runtime import OnnxSession, RuntimeFailureError
from fog_node.watchdog import Spent, Watchdog, Watched, verdict
from tests.fog_node.hostile_models import HOSTILE

LIMIT = 5.0
NEVER = 1e9


@pytest.mark.parametrize(
    ("cpu_s", "idle_s", "expected"),
    [
        (0.0, 0.0, "go on"),
        (4.9, 59.0, "go on"),
        (5.1, 0.0, "end it"),
        (0.0, 61.0, "end it"),  # it waits for something that does not come
    ],
)
def test_the_limit_is_in_processor_time_or_none_of_it_at_all(
    cpu_s: float, idle_s: float, expected: str
) -> None:
    assert verdict(Spent(cpu_s, idle_s), LIMIT, None) == expected


@pytest.mark.parametrize(
    ("cpu_s", "idle_s", "expected"),
    [(4.9, 10.0, "go on"), (5.1, 0.0, "give up"), (0.0, 61.0, "give up")],
)
def test_what_was_told_to_end_has_as_long_again(cpu_s: float, idle_s: float, expected: str) -> None:
    assert verdict(Spent(99.0, 0.0), LIMIT, Spent(cpu_s, idle_s)) == expected


def test_a_throttled_run_is_not_ended_while_it_gets_anything_at_all() -> None:
    watched = Watched("a run", "0" * 64, limit_s=NEVER)
    for _ in range(1000):  # seconds, of which it gets microseconds
        sum(range(100))
        assert watched.look(1.0) == "go on"


@contextlib.contextmanager
def _waiting(dog: Watchdog, watched: Watched) -> Iterator[None]:
    """Have another thread be watched that uses no processor time."""
    begun, over = threading.Event(), threading.Event()

    def wait() -> None:
        with dog.over(watched):
            begun.set()
            over.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def by_hand(given_up: list[Watched]) -> Watchdog:
    """A watchdog that looks only when the test says so."""
    dog = Watchdog(given_up.append)
    dog.close()
    dog.look(0.0)
    return dog


def test_a_process_that_was_suspended_does_not_take_its_pause_for_a_run_without_an_end(
    by_hand: Watchdog,
) -> None:
    watched = Watched("a run", "0" * 64, limit_s=NEVER)
    with _waiting(by_hand, watched):
        by_hand.look(3600.0)
        by_hand.look(7200.0)
        assert not watched.reason
        # Twice as long: the thread may still be on its way to where it waits, and that is no idling.
        for second in range(2 * int(watchdog.PATIENCE_S)):
            by_hand.look(7201.0 + second)
    assert watched.reason == f"did not end within {NEVER:.1f} s"


def test_what_ended_is_neither_told_nor_given_up(
    by_hand: Watchdog, given_up: list[Watched]
) -> None:
    watched = Watched("a run", "0" * 64, limit_s=0.0)
    told = threading.Event()
    watched.ends_by(told.set)
    with by_hand.over(watched):
        pass
    by_hand.look(1.0)
    assert not told.is_set()
    assert not given_up


def test_a_look_that_fails_is_not_the_last(
    dog: Watchdog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()

    def fail() -> int:
        failed.set()
        raise OSError("/proc is gone")

    watched = Watched("a load", "0" * 64, limit_s=NEVER, most_bytes=2**40)
    told = threading.Event()
    watched.ends_by(told.set)
    with monkeypatch.context() as patched, dog.over(watched):
        patched.setattr(watchdog, "_resident_bytes", fail)
        assert failed.wait(20)
        watched.limit_s = -1.0
        patched.setattr(watchdog, "_resident_bytes", lambda: 0)
        assert told.wait(20)
    assert "the watchdog cannot look" in caplog.text


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
