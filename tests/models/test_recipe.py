"""What suits the data: few pictures many epochs, photographs in other light, unequal classes weighed."""

import numpy as np
import pytest

from evolution.cost import branch_macs, total_macs
from models.default_network import MACS, default_network
from models.recipe import QUICK, advised, recipe
from pictures.labelled import Pictures


def photographs(count: int, classes: int = 2, size: tuple[int, int] = (24, 32)) -> Pictures:
    """A fixed scene, brighter to the right, in some light."""
    random = np.random.default_rng(0)
    scene = np.linspace(40, 200, size[1]) + random.normal(0, 20, (1, 3, *size))
    pixels = (scene * random.uniform(0.6, 1, (count, 1, 1, 1))).clip(1, 254).astype(np.uint8)
    return Pictures(pixels, (np.arange(count) % classes).astype(np.int64))


def drawings(count: int) -> Pictures:
    pixels = np.zeros((count, 1, 28, 28), np.uint8)
    pixels[:, :, 10:18, 12:16] = 255
    return Pictures(pixels, (np.arange(count) % 2).astype(np.int64))


def test_the_fewer_pictures_the_more_epochs_and_the_more_pictures_the_more_is_seen() -> None:
    counts = [20, 60, 200, 1000, 4000]
    epochs = [recipe(drawings(count)).epochs for count in counts]
    assert epochs == sorted(epochs, reverse=True)
    seen = [count * each for count, each in zip(counts, epochs, strict=True)]
    assert min(seen[:2]) >= 15_000
    assert seen[2:] == sorted(seen[2:])


def test_more_classes_are_seen_longer() -> None:
    two, eight = (recipe(photographs(96, classes)).epochs for classes in (2, 8))
    assert eight == pytest.approx(2 * two, abs=1)


def test_a_candidate_gets_a_tenth_and_nobody_less_than_one_epoch() -> None:
    whole, quick = (recipe(photographs(100), effort=effort).epochs for effort in (1, QUICK))
    assert quick == pytest.approx(whole / 10, abs=1)
    assert recipe(drawings(4000), effort=1e-6).epochs == 1


def test_photographs_are_seen_in_other_light_and_drawings_are_not() -> None:
    photograph, drawing = recipe(photographs(40)), recipe(drawings(40))
    assert photograph.light > 0 < photograph.colour
    assert drawing.light == drawing.colour == 0


def test_classes_of_unequal_size_are_weighed() -> None:
    pictures = photographs(60)
    assert not recipe(pictures).balanced
    unequal = Pictures(pictures.pixels, (np.arange(60) < 15).astype(np.int64))
    assert recipe(unequal).balanced


def test_every_choice_has_a_sentence_that_says_what_was_done() -> None:
    found = advised(photographs(40))
    text = " ".join(found.reasons)
    assert f"{found.schedule.epochs} epochs" in text
    assert "not mirrored" in text
    assert not found.schedule.mirror
    assert "these are photographs" in text


def test_without_pictures_or_effort_there_is_no_recipe() -> None:
    with pytest.raises(ValueError, match="needs pictures"):
        recipe(drawings(0))
    with pytest.raises(ValueError, match="effort"):
        recipe(drawings(4), effort=0)


@pytest.mark.parametrize(
    ("shape", "stages"),
    [((1, 28, 28), 3), ((3, 48, 64), 4), ((3, 72, 96), 4), ((1, 8, 8), 1), ((3, 14, 40), 2)],
)
def test_the_default_network_can_be_built_and_deployed(
    shape: tuple[int, int, int], stages: int
) -> None:
    space, network = default_network(shape, 5)
    genome = space.random(np.random.default_rng(0))
    network.check(genome)
    assert (genome.branch_count, genome.stage_count) == (4, stages)
    assert total_macs(genome, network) < 2 * MACS
    assert max(branch_macs(genome, network)) < 0.5 * total_macs(genome, network)
