"""A small part of the chaos benchmark: parts die and a link is cut in mid-stream, and nothing is lost."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.faults.table import FAULTS
from benchmarks.chaos.fold import empty_row, row_of
from benchmarks.chaos.networks import make_bundle
from benchmarks.chaos.run import play
from benchmarks.chaos.table import table_of
from broker.engine.choice import available_engines

CONTRACT = {
    "fault", "runs", "sent", "answered", "duplicates", "incomplete", "gap_p50_s", "gap_max_s",
    "complete_p50_s", "complete_max_s", "status_true",
}  # fmt: skip


def brief(fault: Fault) -> Fault:
    """Return the fault on a short stream: nothing is measured here."""
    setting = replace(fault.setting, seconds=3.0)
    holds_s = min(fault.holds_s, 2.0)
    return replace(fault, setting=setting, after_s=(0.1, 0.5), holds_s=holds_s, look_s=0.5)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    make_bundle("light", folder / "light")
    return folder


@pytest.mark.parametrize("name", ["killed-fusion-node", "killed-coordinator", "cut-branch-node"])
def test_every_frame_is_answered_once(name: str, bundles: Path) -> None:
    if "mosquitto" not in available_engines():
        pytest.skip("mosquitto is not on this machine")
    record = play(brief(FAULTS[name]), 0, bundles, "mosquitto", 1)
    row = row_of(name, [record])
    assert row.keys() >= CONTRACT
    assert row["sent"] == row["answered"] == 120, row
    assert (row["duplicates"], row["mixed_epochs"]) == (0, 0), row
    assert not row["ended_by_itself"], row
    assert json.loads(json.dumps(row)) == row
    assert table_of([row]).row_count == 1


def test_the_faults_have_names_and_say_what_they_do() -> None:
    assert empty_row("x").keys() == CONTRACT
    assert len(FAULTS) >= 30
    assert all(name == fault.name and fault.what for name, fault in FAULTS.items())
