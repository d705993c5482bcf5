"""What a search will cost: arithmetic, and refusals of what no fog would take."""

import re
from pathlib import Path

import pytest

from coordinator.forecast.cost import START_S, Forecast, search_seconds, sizes, training_seconds
from coordinator.forecast.deployable import check_deployable
from coordinator.forecast.measure import forecast
from coordinator.forecast.raspberry_pi import PI_4_CORE_MACS_PER_S, alone_s, spread_s
from coordinator.search.config import SearchConfig
from coordinator.search.scoring import Scoring
from evolution.cost import NetworkShape, total_macs
from evolution.genome import Genome
from pictures.dataset import Dataset
from tests.coordinator.search.toys import SHAPE, config
from tests.pictures.made_pictures import write_idx_folder


def scoring(asked: SearchConfig, dataset: Dataset) -> Scoring:
    return Scoring.of(asked, asked.shape(dataset))


FOUR = Genome.parse("1|1 / 1|1 / 1|1 / 1|1")


def test_a_pi_computes_its_macs_and_branches_side_by_side() -> None:
    shape = NetworkShape(2, (3, 72, 96), ((8, 16),))
    assert alone_s(FOUR, shape) == pytest.approx(
        total_macs(FOUR, shape) / PI_4_CORE_MACS_PER_S, rel=0.05
    )
    assert spread_s(FOUR, shape) == pytest.approx(alone_s(FOUR, shape) / 4, rel=0.05)


def test_trainings_are_shared_out_over_processes() -> None:
    assert training_seconds(pictures=100, epochs=3, picture_s=0.01) == pytest.approx(3.0)
    assert search_seconds(8, 2, 10.0) == START_S + 40.0
    assert search_seconds(9, 2, 10.0) == START_S + 50.0


def test_a_forecast_has_both_ends_of_the_space() -> None:
    found = sizes(config(), SHAPE)
    assert found.smallest_macs == total_macs(config().smallest(SHAPE), SHAPE)
    assert found.densest_macs == total_macs(config().dense(), SHAPE)
    assert found.frame_bytes == 28 * 28
    assert [each.densest_s > each.smallest_s for each in found.frames] == [True, True]
    (line,) = [line for line in found.lines() if "Raspberry Pi" in line]
    assert "2 GMAC/s assumed" in line


def test_a_forecast_is_measured_by_training_a_little(tmp_path: Path) -> None:
    asked = config(
        dataset=str(write_idx_folder(tmp_path)),
        training={"phases": [[2, 0.01]]},
        winner={"phases": [[400, 0.01]]},
        pictures=16,
        workers=2,
    )
    found = forecast(asked, scoring(asked, asked.input.load(asked.dataset)))
    assert found.networks == 30
    assert found.training_s is not None
    assert found.search_s == START_S + 15 * found.training_s
    # 32 pictures 400 times against 16 pictures twice: 400 times as long, timing aside.
    assert found.winner_s is not None
    assert found.winner_s > 20 * found.training_s > 0
    assert found.as_dict()["seconds"] == found.search_s + found.winner_s
    assert "forecast: up to 30 trainings of" in "\n".join(found.lines())


def test_a_table_needs_no_training(tmp_path: Path) -> None:
    asked = config(
        dataset=str(write_idx_folder(tmp_path)),
        evaluator="table",
        table="t.csv",
        winner={"phases": [[1, 0.01]]},
    )
    found = forecast(asked, scoring(asked, asked.input.load(asked.dataset)))
    assert found.search_s is None
    assert "trainings" not in "\n".join(found.lines())


@pytest.mark.parametrize(
    ("shape", "classes", "fault"),
    [
        ((3, 960, 1280), ("a", "b"), r"input\.size: a frame of 1280x960 has 3,686,400 bytes"),
        ((3, 700, 700), ("a", "b"), r"network\.channels: stage 1 of branch 1 hands on"),
        ((3, 72, 96), ("a", "b\nc"), r"dataset: class 'b\\nc'"),
        ((3, 72, 96), ("a", "b" * 257), r"dataset: class 'bbb"),
    ],
)
def test_what_cannot_be_deployed_is_refused_by_its_setting(
    shape: tuple[int, int, int], classes: tuple[str, ...], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        check_deployable(FOUR, NetworkShape(2, shape, ((8, 16),)), classes)


def test_the_size_that_a_refusal_names_fits() -> None:
    with pytest.raises(ValueError, match=r"input\.size") as raised:
        check_deployable(FOUR, NetworkShape(2, (3, 960, 1280), ((8, 16),)), ("a", "b"))
    found = re.search(r"a longer side of (\d+) or less", str(raised.value))
    assert found is not None
    longest = int(found[1])
    fitting = (3, round(longest * 0.75), longest)
    check_deployable(FOUR, NetworkShape(2, fitting, ((1, 1),)), ("a", "b"))


def test_a_camera_at_a_usual_size_is_welcome() -> None:
    check_deployable(FOUR, NetworkShape(2, (3, 72, 96), ((8, 16),)), ("in", "out — empty"))
    assert isinstance(sizes(config(), SHAPE), Forecast)
