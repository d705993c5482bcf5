"""The recipe on a set as people have them, small enough for a test; and the benchmark's rows and table."""

from pathlib import Path

import pytest

from benchmarks.made.sets import MadeSet, write
from benchmarks.own_pictures import SETS, Row, measure, table
from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.evaluator import seeded_network, torch_threads
from models.recipe import recipe
from models.training import accuracy, train
from pictures.dataset import load


def test_a_small_thing_in_a_fixed_scene_is_learnt_from_twenty_pictures_in_any_light(
    tmp_path: Path,
) -> None:
    """Light changes the whole picture, the thing 1 to 3 % of it: the recipe is for such."""
    made = MadeSet(pictures=20, test=20, seed=104, size=(160, 120))
    dataset = load(str(write(made, tmp_path / "bin")), (3, 36, 48))
    genome = Genome.parse("0|0|0 / 0|0|0")
    shape = NetworkShape(2, dataset.shape, ((8, 8, 16),))
    with torch_threads(1):
        model = seeded_network(genome, shape, 0)
        train(model, dataset.train, recipe(dataset.train, effort=0.2))
        assert accuracy(model, dataset.test) > 0.8


def test_a_row_is_what_the_command_made_and_how_it_does_on_fresh_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SETS, "state-30", MadeSet("state", pictures=8, size=(32, 24)))
    row = measure("state-30", 0, "--epochs", "1")
    assert 0 <= row.held_out <= 1
    assert row.fresh is not None
    assert 0 <= row.fresh <= 1
    assert row.cpu_s > 0


def test_the_table_has_means_over_seeds_and_every_seed() -> None:
    rows = [
        Row("bin-80", seed, share, 0.75, 0.5, 0.02, 1.0, 0.8, 20.0, wall_s)
        for seed, share, wall_s in ((1, 0.5, 90.0), (0, 1.0, 80.0))
    ]
    last = table(rows).splitlines()[-1]
    assert last == "| bin-80 | 75.00 | 100.0, 50.0 | 75.0 | 50.0 | 2.0 | 100.0 | 20 | 85 (90) |"
