"""How a row is counted, on made-up logs of a camera with twenty pictures a second."""

from dataclasses import replace

import pytest

from benchmarks.chaos.fold import row_of
from benchmarks.chaos.records import Answer, Ending, RunRecord
from tests.benchmarks.chaos.made_records import STRUCK, answers, camera, run


def row(*runs: RunRecord) -> dict[str, object]:
    return row_of("fault", runs)


def test_a_fault_that_nobody_notices() -> None:
    found = row(run(camera(answers(0, 200)), camera(answers(0, 200))))
    assert (found["sent"], found["answered"], found["duplicates"]) == (400, 400, 0)
    assert (found["incomplete"], found["complete_max_s"]) == (0, 0.0)
    assert found["gap_max_s"] == pytest.approx(0.05)
    assert found["latency_p95_s"] == pytest.approx(0.02)
    assert found["answers_per_s"] == pytest.approx(40.0, rel=0.02)
    assert found["status_true"] is True


def test_branches_miss_until_the_repair() -> None:
    log = camera(answers(0, 44), answers(44, 80, missing=("logits-1",)), answers(80, 200))
    found = row(run(log))
    assert found["incomplete"] == 36
    assert found["complete_max_s"] == pytest.approx(2.0)


def test_half_a_second_of_complete_answers_is_no_recovery() -> None:
    log = camera(
        answers(0, 40),
        answers(40, 60, missing=("logits-1",)),
        answers(60, 70),
        answers(70, 90, missing=("logits-1",)),
        answers(90, 200),
    )
    found = row(run(log))
    assert found["complete_max_s"] == pytest.approx(2.5)
    assert found["last_incomplete_p50_s"] == pytest.approx(2.45)


def test_answers_that_take_much_longer_than_before_are_complete_and_not_on_time() -> None:
    slow = [replace(answer, latency_s=0.4) for answer in answers(50, 120)]
    found = row(run(camera(answers(0, 50), slow, answers(120, 200))))
    assert found["complete_max_s"] == 0.0
    assert found["on_time_max_s"] == pytest.approx(4.0)


def test_a_silence_is_a_gap_and_recovery_counts_from_the_fault_to_its_end() -> None:
    log = camera(answers(0, 42), answers(42, 102, late_s=3.0), answers(102, 200, late_s=3.0))
    found = row(run(log))
    assert found["gap_max_s"] == pytest.approx(3.05)
    assert found["complete_max_s"] == pytest.approx(3.1)


def test_what_is_never_answered_again_never_recovers_and_is_silent_to_the_end() -> None:
    found = row(run(camera(answers(0, 50), sent=82), until=STRUCK + 30.0))
    assert (found["sent"], found["answered"], found["gave_up"]) == (82, 50, 1)
    assert found["complete_p50_s"] is None
    assert found["complete_max_s"] is None
    assert found["gap_max_s"] == pytest.approx(29.55)


def test_one_bad_run_of_three_shows_in_the_worst_and_not_in_the_median() -> None:
    good = run(camera(answers(0, 200)))
    bad = run(camera(answers(0, 40), answers(40, 200, missing=("logits-0",))))
    found = row(good, bad, good)
    assert (found["runs"], found["complete_p50_s"], found["complete_max_s"]) == (3, 0.0, None)


def test_an_answer_given_out_twice_is_a_duplicate_and_not_a_second_answer() -> None:
    found = row(run(camera(answers(0, 100), answers(40, 43), answers(100, 200))))
    assert (found["sent"], found["answered"], found["duplicates"]) == (200, 200, 3)


def test_a_killed_camera_counts_in_neither_sent_nor_answered() -> None:
    first = camera(answers(0, 40), killed=True)
    again = camera(answers(60, 200))
    found = row(run(first, again))
    assert (found["sent"], found["answered"], found["cameras_killed"]) == (140, 140, 1)
    assert found["gap_max_s"] == pytest.approx(0.05)


def test_a_branch_that_ran_where_its_epoch_does_not_say_is_a_mixed_epoch() -> None:
    hops = (("branch0-stage0", "b"), ("fusion", "standby"))
    log = camera([Answer(0, 1, STRUCK + 1, 0.1, (), hops), Answer(1, 2, STRUCK + 1, 0.1, (), hops)])
    placements = {1: {"branch0-stage0": "a", "fusion": "a"}}
    assert row(replace(run(log), placements=placements))["mixed_epochs"] == 1


def test_ends_that_nobody_asked_for_are_told_with_their_last_words() -> None:
    endings = (
        Ending("node", -9, expected=True),
        Ending("coordinator", 1, expected=False, traceback=True, words="OSError: disk full"),
    )
    found = row(replace(run(camera(answers(0, 200))), endings=endings, lies=("gone",)))
    assert found["exit_codes"] == {"coordinator 1": 1, "node -9": 1}
    assert found["ended_by_itself"] == {"coordinator 1: OSError: disk full": 1}
    assert found["tracebacks"] == {"coordinator": 1}
    assert found["status_true"] is False
