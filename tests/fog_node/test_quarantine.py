"""An artifact that hung or ended the process is left alone for a while, over restarts too."""

from pathlib import Path

import pytest

from fog_node.quarantine import TERM_S, Quarantine

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quarantine.json"


def test_nothing_is_in_it_at_first(path: Path) -> None:
    assert Quarantine(path).reason(ONE) == ""


def test_what_was_condemned_is_left_alone_after_a_restart_and_then_forgiven(path: Path) -> None:
    Quarantine(path).condemn(ONE, "a run did not end", now=100.0)
    later = Quarantine(path)
    assert later.reason(ONE, now=101.0) == f"a run did not end; left alone for {TERM_S - 1:.0f} s"
    assert later.reason(OTHER, now=101.0) == ""
    assert later.reason(ONE, now=100.0 + TERM_S) == ""
    assert Quarantine(path).reason(ONE, now=101.0) == ""


def test_a_clock_that_went_back_forgives(path: Path) -> None:
    Quarantine(path).condemn(ONE, "a run did not end", now=10**9)
    assert Quarantine(path).reason(ONE, now=5.0) == ""


def test_a_load_that_ends_the_process_twice_is_not_tried_again(path: Path) -> None:
    Quarantine(path).begin(ONE)
    assert Quarantine(path).reason(ONE) == ""  # a power cut perhaps
    Quarantine(path).begin(ONE)
    assert "ended 2 times while it was loaded" in Quarantine(path).reason(ONE)


def test_loads_that_end_leave_nothing(path: Path) -> None:
    for _ in range(5):
        quarantine = Quarantine(path)
        quarantine.begin(ONE)
        quarantine.ended(ONE)
    assert Quarantine(path).reason(ONE) == ""
    assert path.read_text(encoding="utf-8") == "{}"


def test_the_end_of_a_load_does_not_forgive_what_it_was_condemned_for(path: Path) -> None:
    quarantine = Quarantine(path)
    quarantine.begin(ONE)
    quarantine.condemn(ONE, "did not end")
    quarantine.ended(ONE)
    assert quarantine.reason(ONE)


def test_a_node_that_is_stopped_in_the_middle_of_a_load_does_not_blame_the_load(path: Path) -> None:
    for _ in range(5):
        quarantine = Quarantine(path)
        assert quarantine.reason(ONE) == ""
        quarantine.begin(ONE)
        quarantine.close()
        quarantine.begin(OTHER)  # by the thread that loads, which cannot be waited for
    assert path.read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize(
    "content", ["", "[]", "\0", '{"x": 1}', '{"x": {"until": 1e999}}', '{"x": {"tries": -1}}']
)
def test_a_file_that_is_damaged_is_none(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    quarantine = Quarantine(path)
    assert quarantine.reason("x") == ""
    quarantine.condemn(ONE, "did not end")
    assert Quarantine(path).reason(ONE)


def test_a_folder_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "missing" / "quarantine.json")
    quarantine.condemn(ONE, "did not end")
    assert quarantine.reason(ONE)


def test_it_does_not_grow_without_end(path: Path) -> None:
    quarantine = Quarantine(path)
    for number in range(260):
        quarantine.condemn(f"{number:064}", "did not end")
    assert len(Quarantine(path)._entries) == 256
    assert quarantine.reason(f"{259:064}")
