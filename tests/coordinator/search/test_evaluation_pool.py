"""Evaluator processes: what they say, how they fail, and that none is left behind."""

import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.search.evaluation_pool import Chunks, EvaluationPool, EvaluatorDiedError, measured
from models.measurement import Measurement
from tests.coordinator.search.evaluators import NETWORKS, Counting

SEARCH = """
import sys
from coordinator.search.evaluation_pool import EvaluationPool
from tests.coordinator.search.evaluators import NETWORKS, Counting
if __name__ == "__main__":
    with EvaluationPool(Counting(NETWORKS[0], "hang"), 2) as pool:
        list(pool.measure(NETWORKS))
"""


def test_any_number_of_processes_measures_the_same() -> None:
    expected = dict(zip(NETWORKS, measured(Counting(), NETWORKS), strict=True))
    for processes in (1, 2):
        with EvaluationPool(Counting(), processes) as pool:
            assert dict(pool.measure(NETWORKS)) == expected
            assert list(pool.measure([])) == []
            assert dict(pool.measure(NETWORKS[:1])) == {NETWORKS[0]: expected[NETWORKS[0]]}


@pytest.mark.parametrize(
    ("does", "error", "sentence"),
    [
        ("die", EvaluatorDiedError, "an evaluator process died"),
        ("fail", EvaluatorDiedError, "an evaluator failed: RuntimeError: out of memory"),
        ("refuse", ValueError, rf"table.csv: has no network {NETWORKS[-1].replace('|', '.')}"),
    ],
)
def test_an_evaluator_that_fails_is_one_line_and_what_was_measured_stands(
    does: str, error: type[Exception], sentence: str
) -> None:
    with EvaluationPool(Counting(NETWORKS[-1], does), 1) as pool:
        found = pool.measure(NETWORKS)
        first = next(found)[0]
        with pytest.raises(error, match=f"^{sentence}$"):
            list(found)
    assert first in NETWORKS[:-1]


def test_nobody_waits_for_what_is_being_measured_when_the_search_is_interrupted() -> None:
    with EvaluationPool(Counting(NETWORKS[-1], "hang"), 1) as pool:
        assert next(pool.measure(NETWORKS))[0] in NETWORKS
    # Hanging evaluators would have kept the pool from being closed.


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_evaluator_process_outlives_the_search(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SEARCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as search:
        assert search.stdout is not None
        assert search.stdout.readline() == b"measuring\n"
        search.send_signal(number)
        assert search.stdout.read() == b""  # to its end: every process that held it is gone
    assert search.returncode != 0


@given(
    count=st.integers(0, 300),
    processes=st.integers(1, 8),
    seconds=st.floats(0, 10),
)
def test_all_networks_are_sent_once_and_soon_measured_ones_together(
    count: int, processes: int, seconds: float
) -> None:
    networks = [str(number) for number in range(count)]
    chunks = Chunks(processes)
    assert all(len(chunk) == 1 for chunk in chunks.of(networks))
    list(chunks.done(["0"], [Measurement(0.5, (), seconds)]))
    sent = list(chunks.of(networks))
    assert [network for chunk in sent for network in chunk] == networks
    assert all(len(chunk) == 1 or len(chunk) * seconds <= 0.2 for chunk in sent)
    assert len(sent) >= min(count, 4 * processes)
