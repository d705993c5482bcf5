"""Training learns, does the same for the same seed, and leaves a network that bears missing branches."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.cnn import BranchedCNN
from models.evaluator import seeded_network, torch_threads
from models.training import (
    Progress,
    Schedule,
    accuracy,
    accuracy_by_missing,
    measured_partial_logits,
    train,
)
from pictures.labelled import Pictures

SHAPE = NetworkShape(classes=3, input=(2, 8, 8), channels=((4,),))
GENOME = Genome.parse("1 / 1 / 0")
QUICK = Schedule(phases=((6, 0.02),), curve="one-cycle", batch=16)


def stripes(count: int = 96, seed: int = 0) -> Pictures:
    """Three classes: a bright half above, on the left, or nowhere; noise elsewhere; two channels."""
    labels = np.arange(count) % 3
    pixels = np.random.default_rng(seed).integers(0, 120, (count, 2, 8, 8))
    pixels[labels == 0, :, :4] += 120
    pixels[labels == 1, :, :, :4] += 120
    return Pictures(pixels.astype(np.uint8), labels.astype(np.int64))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with torch_threads(1):
        yield


def trained(schedule: Schedule = QUICK) -> BranchedCNN:
    model = seeded_network(GENOME, SHAPE, schedule.seed)
    train(model, stripes(), schedule)
    return model


def test_a_network_learns_and_progress_is_told_after_each_epoch() -> None:
    told: list[Progress] = []
    model = seeded_network(GENOME, SHAPE, 0)
    train(model, stripes(), QUICK, told.append)
    assert [(each.epoch, each.epochs) for each in told] == [(n, 6) for n in range(1, 7)]
    assert told[-1].loss < told[0].loss / 2
    assert accuracy(model, stripes(seed=1)) > 0.9


def test_half_precision_learns_too_and_leaves_whole_weights() -> None:
    model = trained(replace(QUICK, bfloat16=True))
    assert accuracy(model, stripes(seed=1)) > 0.9
    assert all(weights.dtype == torch.float32 for weights in model.parameters())


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    schedule = Schedule(phases=((2, 0.02),), batch=16, shift=1, mirror=True)
    first, again = trained(schedule), trained(schedule)
    for name, weights in first.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name
    other = trained(Schedule(phases=((2, 0.02),), batch=16, shift=1, mirror=True, seed=1))
    assert not torch.equal(first.fusion.bias, other.fusion.bias)


def test_training_leaves_torchs_random_state_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    trained(Schedule(phases=((1, 0.01),)))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize("drop", [0.0, 0.9])
def test_every_kind_of_schedule_trains(optimiser: str, drop: float) -> None:
    schedule = Schedule(phases=((3, 0.02),), optimiser=optimiser, drop=drop, batch=16)  # type: ignore[arg-type]
    assert accuracy(trained(schedule), stripes()) > 0.5


def test_a_last_picture_alone_is_left_out_of_the_epoch() -> None:
    train(seeded_network(GENOME, SHAPE, 0), stripes(33), Schedule(phases=((1, 0.01),), batch=32))


def test_accuracy_with_missing_branches_is_the_mean_over_subsets_with_zeros_for_the_missing() -> (
    None
):
    model, pictures = trained(), stripes(seed=1)
    partial = measured_partial_logits(model, pictures)  # (3, N, classes)
    labels = torch.from_numpy(pictures.labels)
    for missing in range(3):
        shares = []
        for gone in combinations(range(3), missing):
            zeroed = partial.clone()
            zeroed[list(gone)] = 0
            guesses = model.fusion(*zeroed.unbind(0)).argmax(1)
            shares.append((guesses == labels).double().mean().item())
        assert accuracy(model, pictures, missing) == pytest.approx(sum(shares) / len(shares))
    assert len(accuracy_by_missing(model, pictures)) == 3


def test_training_on_subsets_makes_single_branches_useful() -> None:
    with_subsets = accuracy(trained(), stripes(seed=1), missing=2)
    without = accuracy(
        trained(Schedule(QUICK.phases, "one-cycle", batch=16, drop=0)), stripes(seed=1), 2
    )
    assert with_subsets > without


def test_pictures_are_normalised_by_their_own_mean_and_deviation() -> None:
    model, pictures = trained(Schedule(phases=((1, 0.01),))), stripes()
    x = model.normalise(torch.from_numpy(pictures.pixels))
    assert torch.allclose(x.mean((0, 2, 3)), torch.zeros(2), atol=1e-4)
    assert torch.allclose(x.std((0, 2, 3)), torch.ones(2), atol=1e-3)


def test_rates_follow_the_phases_or_one_cycle() -> None:
    paper = Schedule()
    assert paper.epochs == 25
    assert [paper.rate(at) for at in (0, 19.9, 20, 24, 25)] == [1e-3, 1e-3, 1e-4, 1e-5, 1e-5]
    cycle = Schedule(phases=((8, 0.1),), curve="one-cycle")
    assert cycle.rate(2) == pytest.approx(0.1)
    assert cycle.rate(0) == cycle.rate(8) == pytest.approx(0.001)
    assert cycle.rate(1) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phases", ()),
        ("phases", ((0, 1e-3),)),
        ("phases", ((1, 0.0),)),
        ("curve", "square"),
        ("optimiser", "luck"),
        ("batch", 1),
        ("drop", 1.0),
        ("shift", -1),
    ],
)
def test_an_impossible_schedule_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Schedule(**{field: value})  # type: ignore[arg-type]
