"""A small part of the hostile benchmark: stolen devices do their worst, and the answers go on."""

import json

import pytest
from rich.console import Console

from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import CLOSED, staged
from benchmarks.hostile.__main__ import table_of
from benchmarks.hostile.attack import Attack
from broker.engine.choice import available_engines

CONTRACT = {"sent", "ended", "memory", "goodput"}


def test_stolen_devices_end_nobody_and_a_restart_over_what_they_left_serves() -> None:
    if "mosquitto" not in available_engines():
        pytest.skip("mosquitto is not on this machine")
    with staged(Setting(nodes=2, cameras=("door",)), CLOSED, 1) as stage:
        found = Attack(stage, 1000.0, Console(quiet=True), 1, measured_s=1.0).run(2000)
        stage.end()
        endings = stage.parts.endings()
    row = {**found.row(), "tracebacks": 0}
    assert row.keys() >= CONTRACT
    assert row["sent"] == 2000
    assert row["ended"] == 0, row["ends"]
    assert not any(ending.traceback for ending in endings)
    assert found.rates["during"] > 0
    assert found.rates["after"] > 0
    assert json.loads(json.dumps(row)) == row
    assert table_of(row).row_count > len(CONTRACT)
