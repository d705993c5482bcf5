"""What mirrored pictures are good for: symmetric things yes, digits and a fixed camera no, left and right never."""

from collections.abc import Callable

import numpy as np

from models.likeness import Likeness, Pixels, likeness, mirrored
from pictures.labelled import Pictures

Draw = Callable[[Pixels, int, np.random.Generator], None]


def of(draw: Draw, count: int = 120, classes: int = 2) -> Pictures:
    """Pictures 1x16x16 of noise, each drawn into by its label."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 60, (count, 1, 16, 16)).astype(np.uint8)
    labels = np.arange(count) % classes
    for picture, label in zip(pixels, labels, strict=True):
        draw(picture[0], int(label), random)
    return Pictures(pixels, labels.astype(np.int64))


def bar(picture: Pixels, label: int, random: np.random.Generator) -> None:
    """Lying or standing, anywhere: a mirrored one could be a real one."""
    at = random.integers(0, 12)
    if label:
        picture[2:14, at : at + 4] = 255
    else:
        picture[at : at + 4, 2:14] = 255


def side(picture: Pixels, label: int, random: np.random.Generator) -> None:
    """A door open to the left, or to the right."""
    left = random.integers(0, 3) + (9 if label else 0)
    picture[2:14, left : left + 4] = 255


def scene(picture: Pixels, label: int, random: np.random.Generator) -> None:
    """A fixed camera: always the same, unsymmetric, in some light, and a small thing or none."""
    gain = random.uniform(0.5, 1)
    picture[:, :5] = np.uint8(200 * gain)
    picture[9:, 5:9] = np.uint8(120 * gain)
    if label:
        picture[3:6, 10:13] = np.uint8(220 * gain)


def test_things_that_stand_either_way_may_be_mirrored() -> None:
    found = likeness(of(bar))
    assert found.helps
    assert found.used > found.compared / 4


def test_left_is_not_right() -> None:
    found = likeness(of(side))
    assert found.lost > found.won
    assert not found.helps


def test_a_fixed_camera_never_sees_its_scene_mirrored() -> None:
    found = likeness(of(scene))
    assert found.used == 0
    assert not found.helps


def test_too_few_pictures_are_no_help() -> None:
    assert likeness(of(bar, 2)) == Likeness(0, 0, 0, 0)
    assert not Likeness(0, 0, 0, 0).helps


def test_any_size_can_be_compared_and_mirroring_is_left_to_right() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (9, 3, 7, 50)).astype(np.uint8)
    pictures = Pictures(pixels, (np.arange(9) % 3).astype(np.int64))
    assert likeness(pictures).compared == 3
    assert np.array_equal(mirrored(pixels)[..., 0], pixels[..., -1])
