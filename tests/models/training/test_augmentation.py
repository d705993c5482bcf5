"""Augmentation: each picture by its own draws, nothing where nothing is asked for, values that a picture may have."""

import pytest
import torch
from torch import Tensor

from models.training.augmentation import augmented
from models.training.schedule import Schedule


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(count: int = 64, channels: int = 3) -> Tensor:
    """Bytes (n, C, 12, 16): grey, with a bright square of 4 by 4 pixels in the middle."""
    pixels = torch.full((count, channels, 12, 16), 100, dtype=torch.uint8)
    pixels[:, :, 4:8, 6:10] = 200
    return pixels


def middles(pixels: Tensor) -> Tensor:
    """Where the bright square is: (n, 2), row and column of its middle."""
    bright = (pixels[:, 0].float() - 100).clamp(min=0)  # (n, H, W)
    weight = bright.sum((1, 2))
    rows = (bright.sum(2) * torch.arange(12)).sum(1) / weight
    columns = (bright.sum(1) * torch.arange(16)).sum(1) / weight
    return torch.stack([rows, columns], 1)


def test_a_plain_schedule_changes_nothing_and_draws_nothing() -> None:
    random, pixels = generator(), drawn()
    assert torch.equal(augmented(pixels, Schedule(), random), pixels)
    assert torch.equal(random.get_state(), generator().get_state())


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(shift=2),
        Schedule(mirror=True),
        Schedule(scale=0.2, turn=10, shift=2),
        Schedule(light=0.5),
        Schedule(colour=0.3),
        Schedule(noise=0.1),
        Schedule(erase=0.5),
    ],
    ids=lambda schedule: str(schedule).split("shift", 1)[1],
)
def test_pictures_stay_pictures_and_follow_from_the_generator(schedule: Schedule) -> None:
    pixels = drawn()
    pixels[0] = 0
    pixels[1] = 255
    found, again = (augmented(pixels, schedule, generator(3)).float() for _ in range(2))
    assert torch.equal(found, again)
    assert found.shape == pixels.shape
    assert found.min() >= 0
    assert found.max() <= 255 + 1e-3  # interpolation rounds
    if not schedule.mirror:  # the square is symmetric
        assert len({each.numpy().tobytes() for each in found[2:]}) > 5  # each by its own draws


def test_a_shift_moves_by_whole_pixels_and_repeats_the_edge() -> None:
    pixels = drawn()
    pixels[:, :, :, 0] = 77
    moved = middles(drawn()) - middles(augmented(drawn(), Schedule(shift=2), generator()))
    assert set(moved.flatten().round(decimals=3).tolist()) == {-2.0, -1.0, 0.0, 1.0, 2.0}
    right = augmented(pixels, Schedule(shift=2), generator())
    assert not (right == 0).any()  # no bar of black


def test_scale_and_turn_keep_the_middle_and_the_aspect() -> None:
    found = augmented(drawn(), Schedule(scale=0.4, turn=30), generator())
    assert torch.allclose(middles(found), middles(drawn()), atol=0.3)
    area = (found[:, 0] - 100).clamp(min=0).sum((1, 2)) / 100
    assert area.min() < 16 / 1.5 < 16 * 1.3 < area.max()
    # A quarter turn of a bar that lies makes one that stands, as long: the aspect of the picture is no matter.
    bar = torch.zeros((400, 1, 12, 24), dtype=torch.uint8)
    bar[:, :, 5:7, 8:16] = 200
    turned = augmented(bar, Schedule(turn=180), generator())
    rows = (turned[:, 0].amax(2) > 100).sum(1)  # (n,) rows that it covers
    assert rows.min() <= 2
    assert rows.max() in (8, 9)


def test_light_and_colour_change_by_no_more_than_they_may() -> None:
    grey = torch.full((200, 3, 4, 4), 100, dtype=torch.uint8)
    colours = augmented(grey, Schedule(colour=0.25), generator())[:, :, 0, 0] / 100
    assert colours.min() >= 1 / 1.25 - 1e-4
    assert colours.max() <= 1.25 + 1e-4
    assert (colours.amax(1) - colours.amin(1)).mean() > 0.1
    lit = augmented(grey, Schedule(light=0.5), generator()).mean((1, 2, 3)) / 100
    assert 0.6 < lit.min() < 0.75
    assert 1.35 < lit.max() < 1.6


def test_one_channel_has_no_colour() -> None:
    grey = drawn(channels=1)
    assert torch.equal(augmented(grey, Schedule(colour=0.5), generator()), grey.float())


def test_what_is_erased_is_a_rectangle_of_2_to_20_percent() -> None:
    black = torch.zeros((300, 1, 40, 40), dtype=torch.uint8)
    found = augmented(black, Schedule(erase=0.5), generator())[:, 0] == 128  # (n, H, W)
    shares = found.float().mean((1, 2))
    hit = found[shares > 0]
    assert 110 < len(hit) < 190
    assert 0.01 < shares[shares > 0].min() < shares.max() < 0.25
    rows, columns = hit.any(2).sum(1), hit.any(1).sum(1)
    assert torch.equal(rows * columns, hit.sum((1, 2)))
