"""One training for all genomes: it can be killed, and it tells good networks from bad ones."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space
from models.evaluator import search_pictures, torch_threads
from models.supernet import drawn_genome, train_supernet
from models.supernet_evaluator import SupernetEvaluator, loaded, outputs_of
from models.training import Progress, Schedule
from tests.evolution.strategies import rngs
from tests.pictures.made_pictures import write_idx_folder

SHAPE = NetworkShape(classes=2, input=(1, 8, 8), channels=((2, 3), (3, 2)))
SPACE = Space((3, 3), branches=2, exchange=True, widths=2)
SCHEDULE = Schedule(phases=((3, 0.02),), curve="one-cycle", batch=8, shift=1)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with torch_threads(1):  # the networks are too small for more
        yield


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_idx_folder(tmp_path_factory.mktemp("data") / "bright", train=80))


@pytest.fixture(scope="module")
def path(folder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("supernet") / "supernet.pt"
    train(folder, file)
    return file


@pytest.fixture(scope="module")
def evaluator(folder: str, path: Path) -> SupernetEvaluator:
    return SupernetEvaluator.read(path, folder, SPACE, SHAPE, validation=30)


def train(folder: str, path: Path, space: Space = SPACE, killed_after: int = 99) -> None:
    def progress(step: Progress) -> None:
        if step.epoch == killed_after:
            raise KilledError

    pictures, _ = search_pictures(folder, SHAPE.input, 30, None)
    train_supernet(space, SHAPE, pictures, SCHEDULE, path, progress=progress)


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_killed_training_goes_on_to_the_very_same_file(
    folder: str, path: Path, tmp_path: Path, killed_after: int
) -> None:
    other = tmp_path / "other.pt"
    with pytest.raises(KilledError):
        train(folder, other, killed_after=killed_after)
    if killed_after < 3:
        with pytest.raises(ValueError, match=r"other\.pt: .* not trained to its end"):
            SupernetEvaluator.read(other, folder, SPACE, SHAPE, validation=30)
    train(folder, other)
    assert other.read_bytes() == path.read_bytes()
    train(folder, other, killed_after=1)  # there is nothing left to do


def test_shared_weights_can_be_trained_in_half_precision(
    folder: str, path: Path, tmp_path: Path
) -> None:
    pictures, _ = search_pictures(folder, SHAPE.input, 30, None)
    half = tmp_path / "half.pt"
    train_supernet(SPACE, SHAPE, pictures, replace(SCHEDULE, bfloat16=True), half)
    states = [torch.load(file, weights_only=True)["weights"] for file in (path, half)]
    assert all(weights.dtype == torch.float32 for weights in states[1].values())
    assert not all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_file_of_another_training_is_refused_by_field(
    folder: str, path: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"supernet\.pt: space: "):
        train(folder, path, Space((3, 3), branches=2))
    with pytest.raises(ValueError, match=r"supernet\.pt: pictures: "):
        SupernetEvaluator.read(path, folder, SPACE, SHAPE, validation=20)
    torn = tmp_path / "torn.pt"
    for content in (b"", b"no", path.read_bytes()[:-100]):
        torn.write_bytes(content)
        with pytest.raises(ValueError, match=r"torn\.pt: is no supernet"):
            train(folder, torn)
    with pytest.raises(ValueError, match=r"absent\.pt"):
        SupernetEvaluator.read(tmp_path / "absent.pt", folder, SPACE, SHAPE, validation=30)


@given(genomes=st.lists(rngs.map(SPACE.random), min_size=2, max_size=6))
@settings(max_examples=15)
def test_what_was_measured_before_changes_no_measurement(
    evaluator: SupernetEvaluator, genomes: list[Genome]
) -> None:
    found = [evaluator(genome) for genome in genomes]
    loaded.cache_clear()
    assert [evaluator(genome.canonical()) for genome in reversed(genomes)] == found[::-1]
    assert all(len(measurement.missing) == 1 for measurement in found)


def test_it_measures_alike_in_every_process_and_better_than_chance(
    evaluator: SupernetEvaluator,
) -> None:
    genome = Genome.parse("1-01|1-11 / 0-01|1-00 ; widths 0,1 ; exchange 10")
    here = evaluator(genome)
    assert here.accuracy > 0.7
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(evaluator, genome).result() == here
    assert len(pickle.dumps(evaluator)) < 100_000


def test_combinations_of_known_branches_score_as_their_genomes_do(
    evaluator: SupernetEvaluator,
) -> None:
    """Without exchange a branch is the same beside any other."""
    supernet = loaded(evaluator)
    first, second = (
        Genome.parse(text) for text in ("1-01|1-11 / 1-11|0-00", "0-00|1-01 / 1-00|1-00")
    )
    branches = [*outputs_of(first), *outputs_of(second)]
    rows = list(product((0, 2), (1, 3)))
    together = supernet.branch_logits(branches).accuracy(np.array(rows))
    for row, share in zip(rows, together, strict=True):
        mixed = Genome(tuple((first, second)[i // 2].branches[i % 2] for i in row))
        assert supernet.accuracy(mixed, [(0, 1)]) == [share]


def test_a_genome_of_another_space_is_refused(evaluator: SupernetEvaluator) -> None:
    with pytest.raises(ValueError, match="not in the space"):
        evaluator(Genome.parse("1-01|1-11"))


def test_torch_is_left_as_it_was(evaluator: SupernetEvaluator) -> None:
    threads = torch.get_num_threads()
    evaluator(Genome.parse("1-01|1-11 / 1-00|1-00"))
    assert torch.get_num_threads() == threads


@given(rng=rngs)
def test_drawn_genomes_are_of_the_space(rng: np.random.Generator) -> None:
    assert SPACE.contains(drawn_genome(SPACE, rng))


def test_sparse_and_dense_stages_are_drawn_often() -> None:
    rng = np.random.default_rng(0)
    drawn = [drawn_genome(Space((5,)), rng).branches[0][0] for _ in range(1000)]
    assert 50 < sum(stage.is_empty for stage in drawn) < 150
    assert 50 < sum(stage.bits == "1" * 10 for stage in drawn) < 150
