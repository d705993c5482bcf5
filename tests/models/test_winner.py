"""The winner's bundle: its accuracy is what its own graphs reach on the test pictures."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.bundle import Bundle, BundleError, read_bundle
from models.evaluator import torch_threads
from models.training import Progress, Schedule
from models.winner import build_bundle
from pictures.dataset import Dataset, load
from tests.pictures.made_pictures import write_idx_folder

SHAPE = NetworkShape(classes=2, input=(1, 8, 8), channels=((2,),))
GENOME = Genome.parse("1 / 1 / 0")
SCHEDULE = Schedule(phases=((1, 0.01),), batch=16)


@pytest.fixture
def bright(tmp_path: Path) -> Dataset:
    return load(str(write_idx_folder(tmp_path / "bright", train=64, test=50)))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with torch_threads(1):
        yield


def right_by_onnx(folder: Path, bundle: Bundle, dataset: Dataset, missing: int) -> float:
    """Run every test picture through the partitions as fog nodes do; zeros for missing branches."""
    sessions = {p.id: onnxruntime.InferenceSession(folder / p.file) for p in bundle.partitions}
    mean, std = (np.reshape(x, (1, -1, 1, 1)) for x in (bundle.input.mean, bundle.input.std))
    shares = []
    for gone in combinations(bundle.fusion.inputs, missing):
        right = 0
        for pixels, label in zip(dataset.test.pixels, dataset.test.labels, strict=True):
            picture = ((pixels[None].astype(np.float32) / 255 - mean) / std).astype(np.float32)
            tensors = {"input": picture}
            for part in bundle.partitions:
                inputs = {
                    name: np.zeros_like(tensors[name]) if name in gone else tensors[name]
                    for name in part.inputs
                }
                outputs = sessions[part.id].run(list(part.outputs), inputs)
                tensors |= dict(zip(part.outputs, outputs, strict=True))
            right += int(tensors["logits"].argmax() == label)
        shares.append(right / len(dataset.test))
    return sum(shares) / len(shares)


def test_the_accuracy_of_a_bundle_is_that_of_its_graphs(bright: Dataset, tmp_path: Path) -> None:
    told: list[Progress] = []
    folder = tmp_path / "bundle"
    trained = build_bundle(
        GENOME, bright, SHAPE, SCHEDULE, folder, name="bright", progress=told.append
    )
    bundle, outcome = trained.bundle, trained.outcome
    assert read_bundle(folder) == bundle
    assert len(told) == SCHEDULE.epochs
    assert (bundle.name, bundle.genome, bundle.classes) == ("bright", str(GENOME), ("0", "1"))
    assert list(bundle.accuracy.missing) == [1, 2]
    reached = [bundle.accuracy.whole, *bundle.accuracy.missing.values()]
    assert reached == pytest.approx([outcome.right.mean(), *outcome.missing])
    for missing, share in enumerate(reached):
        assert right_by_onnx(folder, bundle, bright, missing) == pytest.approx(share)


def test_what_does_not_fit_is_refused_before_training(bright: Dataset, tmp_path: Path) -> None:
    wider = NetworkShape(classes=2, input=(3, 8, 8), channels=((2,),))
    with pytest.raises(ValueError, match="bright has pictures"):
        build_bundle(GENOME, bright, wider, SCHEDULE, tmp_path, name="bright")
    with pytest.raises(BundleError, match="name:"):
        build_bundle(GENOME, bright, SHAPE, SCHEDULE, tmp_path, name="Not a name")
