"""Copies are found in whatever form they come; what a fixed camera sees twice is no copy."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pictures.fit import fit
from pictures.grouping.likeness import NEAR_MEAN, NEAR_MOST, SIDE, near_pairs
from pictures.reading import decode_picture

Array = npt.NDArray[np.uint8]


def scene(seed: int = 0) -> npt.NDArray[np.float64]:
    """A yard in the evening: smooth shapes, edges and noise, 240 x 320."""
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(20, 200, (6, 8), np.uint8))
    yard = np.asarray(rough.resize((320, 240), Image.Resampling.BICUBIC)).astype(float)
    yard[120:130] += 40
    return yard


def shot(yard: npt.NDArray[np.float64], seed: int, light: float = 1.0) -> Array:
    noise = np.random.default_rng(seed).normal(0, 5, yard.shape)
    return np.clip(yard * light + noise, 0, 255).astype(np.uint8)


def thumb(pixels: Array) -> Array:
    (grey,) = fit(pixels, (1, SIDE, SIDE))
    return np.asarray(grey)


def again(pixels: Array, kind: str, size: tuple[int, int] | None = None, **extra: int) -> Array:
    data, image = io.BytesIO(), Image.fromarray(pixels)
    (image if size is None else image.resize(size)).save(data, kind, **extra)
    return decode_picture(data.getvalue(), "again")


@pytest.mark.parametrize(
    "copy",
    [
        lambda pixels: again(pixels, "PNG"),
        lambda pixels: again(pixels, "JPEG", quality=30),
        lambda pixels: again(pixels, "WEBP", quality=60),
        lambda pixels: again(pixels, "JPEG", (160, 120), quality=75),
        lambda pixels: again(pixels, "PNG", (480, 360)),
    ],
)
def test_a_copy_in_another_form_is_found(copy: object) -> None:
    assert callable(copy)
    first, other = shot(scene(), 1), shot(scene(5), 2)
    thumbs = np.stack([thumb(first), thumb(other), thumb(copy(first))])
    assert near_pairs(thumbs) == [(0, 2)]


def test_a_fixed_camera_sees_no_copies_but_small_things_and_light() -> None:
    yard = scene()
    there = yard.copy()
    there[60:78, 200:220] = 30  # half a per cent of the picture
    moved = yard.copy()
    moved[60:78, 230:250] = 30
    shots = [shot(yard, 1), shot(there, 2), shot(moved, 3), shot(yard, 4, light=1.03)]
    assert near_pairs(np.stack([thumb(each) for each in shots])) == []


def test_a_thousand_that_are_all_the_same_give_one_pair_less() -> None:
    thumbs = np.tile(thumb(shot(scene(), 1)), (1000, 1, 1))
    pairs = near_pairs(thumbs)
    assert len(pairs) == 999


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_exactly_the_pairs_that_every_comparison_finds_are_connected(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(100, 104, (SIDE, SIDE))
    steps = rng.integers(0, 4, count)
    thumbs = (base + steps[:, None, None] + (rng.random((count, SIDE, SIDE)) < 0.1)).astype(
        np.uint8
    )
    gaps = np.abs(thumbs[:, None].astype(int) - thumbs[None])
    near = (gaps.mean((2, 3)) <= NEAR_MEAN) & (gaps.max((2, 3)) <= NEAR_MOST)
    assert _components(count, list(zip(*np.nonzero(near), strict=True))) == _components(
        count, near_pairs(thumbs)
    )


def _components(count: int, pairs: list[tuple[int, int]]) -> set[frozenset[int]]:
    sets = [{index} for index in range(count)]
    for one, other in pairs:
        if sets[one] is not sets[other]:
            sets[one] |= sets[other]
            for index in sets[other]:
                sets[index] = sets[one]
    return {frozenset(each) for each in sets}
