"""What tests of a whole fog have in common."""

from pathlib import Path

import pytest

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.training import Schedule
from models.winner import build_bundle
from pictures.dataset import load


@pytest.fixture(scope="session")
def bundle_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle of three branches, hardly trained: what it says does not matter here."""
    folder = tmp_path_factory.mktemp("bundle")
    dataset = load("mnist")
    few = type(dataset)(
        dataset.name, dataset.classes, dataset.train.split(100)[1], dataset.test.split(100)[1]
    )
    build_bundle(
        Genome.parse("1|1 / 0|1 / 1|0"),
        few,
        NetworkShape(classes=10, input=(1, 28, 28), channels=((4, 8),)),
        Schedule(phases=((1, 0.01),)),
        folder,
        name="digits",
    )
    return folder
