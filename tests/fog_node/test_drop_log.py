"""What is dropped is said once a minute, and only what is new."""

import logging

import pytest

from fog_node.drop_log import DropLog


def test_a_line_says_what_was_dropped(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "fog-node"):
        DropLog().note({"bad_magic": 2, "stale_assignment": 1, "runs": 9, "expired": 0}, 0.0)
    (line,) = caplog.messages
    assert line == (
        "binary messages that are not ours: 2 (bad_magic); "
        "assignments of an epoch that has a successor here: 1 (stale_assignment)"
    )


def test_the_next_line_comes_a_minute_later_and_tells_the_difference() -> None:
    log = DropLog()
    assert log.note({"bad_magic": 2}, 100.0)
    assert log.note({"bad_magic": 5}, 159.9) is None
    assert log.note({"bad_magic": 6}, 160.0) == "binary messages that are not ours: 4 (bad_magic)"
    assert log.note({"bad_magic": 6}, 300.0) is None
    assert log.note({"bad_magic": 7}, 301.0) == "binary messages that are not ours: 1 (bad_magic)"


def test_a_counter_that_is_not_declared_is_told_by_its_name() -> None:
    assert DropLog().note({"odd": 1}, 0.0) == "odd: 1"


def test_what_is_in_order_is_not_worth_a_line() -> None:
    assert DropLog().note({"runs": 5, "frames": 7, "answers": 1, "retired": 2}, 0.0) is None
