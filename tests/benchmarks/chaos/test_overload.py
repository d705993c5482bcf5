"""What is read from the answers under too much load."""

import pytest

from benchmarks.chaos.faults.overload import age_and_goodput, goodput_per_s
from benchmarks.chaos.records import Answer
from tests.benchmarks.chaos.made_records import answers


def test_goodput_counts_complete_answers_only_and_not_the_first_second() -> None:
    whole = answers(0, 101)  # twenty a second, for five seconds
    assert goodput_per_s(whole) == pytest.approx(20.0)
    half = [a if a.frame_id % 2 else Answer(a.frame_id, 1, a.at, 0.1, ("x",)) for a in whole]
    assert goodput_per_s(half) == pytest.approx(10.0, rel=0.1)
    assert goodput_per_s(whole[:10]) == 0.0
    assert goodput_per_s([]) == 0.0


def test_ages_are_told_for_both_halves_so_that_a_growing_queue_shows() -> None:
    growing = [Answer(n, 1, n / 20.0, n / 100.0) for n in range(101)]
    found = age_and_goodput(growing, 40.0)
    assert found["goodput_share"] == pytest.approx(0.5)
    assert found["incomplete_share"] == 0.0
    assert found["age_late_s"] > 1.5 * found["age_early_s"]
