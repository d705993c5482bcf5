"""The evaluator is cheap to send to other processes and says the same in all of them."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.evaluator import TrainingEvaluator, search_pictures
from models.training import Schedule
from pictures.errors import DatasetError
from tests.pictures.made_pictures import write_idx_folder

SHAPE = NetworkShape(classes=2, input=(1, 8, 8), channels=((2,),))
GENOME = Genome.parse("1-01 / 1-00")


@pytest.fixture
def evaluator(tmp_path: Path) -> TrainingEvaluator:
    folder = write_idx_folder(tmp_path / "bright", train=64)
    schedule = Schedule(phases=((3, 0.02),), curve="one-cycle", batch=8)
    return TrainingEvaluator(str(folder), SHAPE, schedule, validation=16, training=40)


def test_a_genome_is_measured_on_pictures_it_was_not_trained_on(
    evaluator: TrainingEvaluator,
) -> None:
    training, validation = search_pictures(evaluator.dataset, SHAPE.input, 16, 40)
    assert (len(training), len(validation)) == (40, 16)
    trained_on = {picture.tobytes() for picture in training.pixels}
    assert not trained_on & {picture.tobytes() for picture in validation.pixels}
    measurement = evaluator(GENOME)
    assert measurement.accuracy > 0.8
    assert len(measurement.missing) == 1
    assert measurement.seconds > 0


def test_isomorphic_genomes_measure_alike_in_every_process(evaluator: TrainingEvaluator) -> None:
    isomorphic = Genome.parse("0-01 / 1-01")  # branches in the other order, another single edge
    here = evaluator(GENOME)
    assert evaluator(isomorphic) == here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(evaluator, GENOME).result() == here


def test_an_evaluator_is_a_few_words_when_pickled(evaluator: TrainingEvaluator) -> None:
    evaluator(GENOME)  # also once the pictures are loaded
    assert len(pickle.dumps(evaluator)) < 2000


def test_torch_is_left_as_it_was(evaluator: TrainingEvaluator) -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    evaluator(GENOME)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(1), expected)


def test_bad_settings_name_the_field_or_the_folder(tmp_path: Path) -> None:
    for field in ("validation", "training", "threads"):
        with pytest.raises(ValueError, match=field):
            TrainingEvaluator("mnist", SHAPE, **{field: 0})  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="absent"):
        TrainingEvaluator(str(tmp_path / "absent"), SHAPE)(GENOME)
    folder = write_idx_folder(tmp_path / "bright", train=20)
    with pytest.raises(ValueError, match="cannot set 1000 of 20"):
        TrainingEvaluator(str(folder), SHAPE)(GENOME)
