"""The report of a run: one page that needs nothing else, equal for equal runs; and the drawing in it."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from coordinator.files import FileError
from coordinator.report.network_drawing import amount, draw_network, edges, layers
from coordinator.report.page import write_report
from coordinator.search.run import search
from coordinator.search.run_folder import RESULT, Run
from evolution.cost import NetworkShape
from evolution.genome import Genome
from evolution.stage import Stage
from tests.coordinator.search.toys import DEVICES, SHAPE, Evaluators, config, quiet, scoring
from tests.evolution.strategies import stages


def report_of(folder: Path, **changes: Any) -> str:
    asked = config(**changes)
    run = Run(folder, asked, resume=False)
    search(run, Evaluators(), scoring(asked), quiet)
    return write_report(run, SHAPE).read_text()


def test_the_page_holds_its_pictures_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = report_of(tmp_path, mode="pareto", devices=DEVICES)
    assert len(re.findall(r'<img alt="[^"]+" src="data:image/png;base64,iVBOR', page)) == 3
    assert not re.search(r"<script|<link|https?:|src=\"(?!data:)", page)
    assert "Pareto front" in page
    assert "predicted response on the devices" in page


def test_equal_runs_have_equal_reports(tmp_path: Path) -> None:
    first = report_of(tmp_path / "a")
    assert first == report_of(tmp_path / "b")
    assert "predicted response" not in first
    assert "Accuracy against cost" in first


def test_a_run_that_is_not_finished_has_no_report(tmp_path: Path) -> None:
    report_of(tmp_path)
    (tmp_path / RESULT).unlink()
    with pytest.raises(FileError, match="not finished"):
        write_report(Run(tmp_path, config(), resume=True), SHAPE)


@given(stages())
def test_every_edge_of_a_stage_leads_to_a_later_column(stage: Stage) -> None:
    columns = layers(stage)
    at = {node: x for x, column in enumerate(columns) for node in column}
    assert set(at) - {0, -1} == set(stage.active)
    assert all(at[start] < at[stop] for start, stop in edges(stage))
    ends = {end for edge in edges(stage) for end in edge}
    assert ends == (set() if stage.is_empty else set(at))


def test_a_stage_is_laid_out_by_depth() -> None:
    assert layers(Stage.parse("1-11-000")) == [[0], [1], [2], [3], [-1]]
    assert layers(Stage.parse("0-11")) == [[0], [1, 2], [3], [-1]]
    assert layers(Stage.parse("0-00")) == [[0]]


def test_channels_sizes_and_costs_are_written_beside_the_stages() -> None:
    genome = Genome.parse("1-11|1-00 / 0-00|1-01 ; widths 0,1 ; exchange 01")
    shape = NetworkShape(classes=10, input=(3, 32, 32), channels=((8, 16), (4, 8)))
    texts = {text.get_text() for text in draw_network(genome, shape).axes[0].texts}
    assert {"picture\n3x32x32", "fusion\n10 classes", "in", "out", "1", "3"} <= texts
    assert any(text.startswith("8 ch, 32x32") for text in texts)
    assert any(text.startswith("4 ch, 32x32") for text in texts)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (789, "789"), (45_600, "45.6 k"), (1_230_000, "1.23 M"), (2e9, "2 G")],
)
def test_amounts_have_three_digits_and_a_prefix(value: float, text: str) -> None:
    assert amount(value) == text
