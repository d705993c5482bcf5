"""The recipe on a set as people have them, small enough for a test; and the benchmark's table."""

import numpy as np

from benchmarks.made.sets import MadeSet, pictures
from benchmarks.own_pictures import Row, read, table
from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.evaluator import seeded_network, torch_threads
from models.recipe import recipe
from models.training import accuracy, train


def test_a_small_thing_in_a_fixed_scene_is_learnt_from_twenty_pictures_in_any_light() -> None:
    """Light changes the whole picture, the thing 1 to 3 % of it: the recipe is for such."""
    made = MadeSet(seed=104, size=(160, 120))
    training, test = (read(made, part, 20, (3, 24, 32)) for part in ("train", "test"))
    genome = Genome.parse("0|0|0 / 0|0|0")
    shape = NetworkShape(2, training.shape, ((8, 8, 16),))
    with torch_threads(1):
        model = seeded_network(genome, shape, 0)
        train(model, training, recipe(training, effort=0.1))
        assert accuracy(model, test) > 0.9


def test_the_table_has_means_over_seeds_and_every_seed() -> None:
    rows = [
        Row("bin-80", seed, (share, 0.75, 0.5, 0.5), 0.02, 0.1, 1.0, 1.5, 0.8, 60, 20.0, 15.0)
        for seed, share in ((1, 0.5), (0, 1.0))
    ]
    lines = table(rows).splitlines()
    assert lines[2] == "| bin-80 | 75.00 | 100.0, 50.0 | 75.00 | 50.00 | 2 | 10 | 100 | 20 |"


def test_pictures_are_read_in_turn_of_their_classes() -> None:
    made = MadeSet("five", seed=1, size=(64, 48))
    found = read(made, "train", 2, (3, 12, 16))
    assert found.labels.tolist() == [0, 1, 2, 3, 4] * 2
    assert found.shape == (3, 12, 16)
    assert len(list(pictures(made, "train", 2))) == len(found)
    assert len(np.unique(found.pixels.reshape(10, -1), axis=0)) == 10
