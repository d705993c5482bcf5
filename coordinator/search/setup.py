"""What a search needs before it can begin: sizes and weights checked, and those who measure."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from coordinator.forecast.deployable import check_deployable
from coordinator.search.bounds import check_network
from coordinator.search.config import SearchConfig
from coordinator.search.memory import check_memory
from coordinator.search.run_folder import SUPERNET, Run
from coordinator.search.scoring import Scoring
from evolution.cost import NetworkShape
from models.evaluator import TrainingEvaluator, search_pictures
from models.measured_table import TableEvaluator
from models.measurement import Evaluator
from models.supernet import train_supernet
from models.supernet_evaluator import SupernetEvaluator
from models.training import Progress
from pictures.dataset import Dataset
from pictures.labelled import Pictures

KNOWN: Final = {"mnist": ((1, 28, 28), 10), "fashion": ((1, 28, 28), 10)}
"""Pictures (C, H, W) and classes of data sets by name."""


def prepare(config: SearchConfig) -> Scoring:
    """Check everything that can be checked before anything is written, and return the scoring.

    Raises:
        DatasetError: there is no such data set, or it is of no use.
        ValueError: the space does not fit the data set, a budget is impossible, or the table is
            wrong; the sentence names the field or the file.
    """
    if config.dataset in KNOWN:  # then nothing need be read for it
        natural, classes = KNOWN[config.dataset]
        _check(config, config.shape_of(config.input.shape(natural), classes))
    dataset = config.input.load(config.dataset)
    shape = config.shape(dataset)
    _check(config, shape, dataset.train.pixels.nbytes + dataset.test.pixels.nbytes)
    check_deployable(config.dense(), shape, dataset.classes)
    if config.evaluator == "table":
        _table(config)
    else:
        validation = config.validating(len(dataset.train))
        needed = validation + (config.pictures or 2)
        if needed > len(dataset.train):
            raise ValueError(
                f"validation, pictures: {needed} pictures are needed, {dataset.name} has "
                f"{len(dataset.train)} to train on"
            )
        to_learn_from(dataset, validation)
    return Scoring.of(config, shape)


def _check(config: SearchConfig, shape: NetworkShape, data_bytes: int = 0) -> None:
    check_network(config, shape)
    check_memory(config, shape, data_bytes)


def to_learn_from(dataset: Dataset, validation: int) -> Pictures:
    """Return the training pictures without those that validate.

    Raises:
        ValueError: nothing is left, or nothing of some class.
    """
    rest, _ = dataset.train.split(validation)
    for label in sorted(set(dataset.train.labels.tolist()) - set(rest.labels.tolist())):
        raise ValueError(
            f"class {dataset.classes[label]}: no picture is left to learn from beside those to test "
            "and to validate on; take more of it"
        )
    return rest


def evaluator(run: Run, shape: NetworkShape, tell: Callable[[Progress], None]) -> Evaluator:
    """Return the evaluator of a run; the shared weights of a supernet are trained now, unless they are.

    Raises:
        ValueError, OSError: the supernet's file, or the table, is of no use.
    """
    config = run.config
    if config.evaluator == "table":
        return _table(config)
    framing = config.input.framing
    validation = config.validating(len(config.input.load(config.dataset).train))
    if config.evaluator == "training":
        return TrainingEvaluator(
            config.dataset, shape, config.training, validation, config.pictures, framing=framing
        )
    pictures, _ = search_pictures(config.dataset, shape.input, validation, config.pictures, framing)
    path = run.folder / SUPERNET
    train_supernet(config.space, shape, pictures, config.supernet, path, progress=tell)
    return SupernetEvaluator.read(
        path,
        config.dataset,
        config.space,
        shape,
        validation=validation,
        training=config.pictures,
        framing=framing,
    )


def _table(config: SearchConfig) -> TableEvaluator:
    return TableEvaluator.read(Path(config.table or ""))
