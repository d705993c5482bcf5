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
    DivergedError,
    Progress,
    Schedule,
    accuracy,
    accuracy_by_missing,
    measured_partial_logits,
    train,
)
from models.training.loop import batches
from models.training.statistics import set_normalisation
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


def test_an_epoch_divides_into_equal_batches_so_that_no_few_pictures_count_as_many() -> None:
    random = torch.Generator().manual_seed(0)
    for count, size, sizes in (
        (103, 100, [52, 51]),
        (64, 16, [16] * 4),
        (3, 2, [3]),
        (1, 8, [1]),
    ):
        drawn = batches(count, size, random)
        assert [len(batch) for batch in drawn] == sizes
        assert sorted(torch.cat(drawn).tolist()) == list(range(count))


def test_the_loss_told_is_the_mean_over_pictures() -> None:
    """With a rate near zero and one picture more in the first batch, the mean over batches would differ."""
    told: list[Progress] = []
    pictures = stripes(5)
    schedule = Schedule(phases=((1, 1e-12),), batch=3, drop=0)
    train(seeded_network(GENOME, SHAPE, 0), pictures, schedule, told.append)
    drawn = batches(5, 3, torch.Generator().manual_seed(0))
    model = seeded_network(GENOME, SHAPE, 0)
    set_normalisation(model, pictures)
    total = 0.0
    for batch in drawn:
        logits = model(model.normalise(torch.from_numpy(pictures.pixels)[batch]))
        labels = torch.from_numpy(pictures.labels)[batch]
        total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    assert told[0].loss == pytest.approx(total / 5, rel=1e-4)


def test_patience_ends_a_training_that_gets_worse_and_progress_tells_the_accuracy() -> None:
    told: list[Progress] = []
    model = seeded_network(GENOME, SHAPE, 0)
    schedule = Schedule(phases=((6, 0.02), (30, 30.0)), batch=16, optimiser="sgd", patience=3)
    kept = train(model, stripes(), schedule, told.append, stripes(48, seed=1))
    shares = [each.accuracy for each in told if each.accuracy is not None]
    assert len(shares) == len(told) == kept + 3
    assert shares[kept - 1] > 0.9 > max(shares[kept:])


def test_a_last_epoch_that_spoils_the_network_is_not_the_one_kept() -> None:
    model = seeded_network(GENOME, SHAPE, 0)
    schedule = Schedule(phases=((6, 0.02), (1, 30.0)), batch=16, optimiser="sgd")
    assert train(model, stripes(), schedule, validation=stripes(48, seed=1)) <= 6
    assert accuracy(model, stripes(seed=2)) > 0.9


def test_without_validation_the_last_epoch_is_kept() -> None:
    assert train(seeded_network(GENOME, SHAPE, 0), stripes(), replace(QUICK, patience=1)) == 6


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_a_run_that_diverges_names_epoch_and_rate(optimiser: str) -> None:
    schedule = Schedule(phases=((1, 1e-3), (3, 1e30)), batch=16, optimiser=optimiser)  # type: ignore[arg-type]
    with pytest.raises(DivergedError, match=r"diverged .* in epoch 2 at rate 1e\+30") as caught:
        train(seeded_network(GENOME, SHAPE, 0), stripes(), schedule)
    assert (caught.value.epoch, caught.value.rate) == (2, 1e30)


def test_weights_that_are_lost_in_the_last_batch_are_refused_too() -> None:
    schedule = Schedule(phases=((1, 1e38),), batch=96, optimiser="sgd")
    with pytest.raises(DivergedError, match="in epoch 1"):
        train(seeded_network(GENOME, SHAPE, 0), stripes(), schedule)


def test_weight_decay_leaves_batch_norms_alone_where_it_should() -> None:
    """At a rate so small that only the decay moves: rate times decay is 0.1, a tenth of each weight."""
    for spared in (False, True):
        model = seeded_network(GENOME, SHAPE, 0)
        schedule = Schedule(phases=((1, 1e-7),), batch=96, weight_decay=1e6, decay_norms=not spared)
        train(model, stripes(), schedule)
        scales = [m.weight for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert all(
            torch.allclose(scale, torch.tensor(1.0 if spared else 0.9), atol=1e-3)
            for scale in scales
        )


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
