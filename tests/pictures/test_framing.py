"""What a network sees of a picture: a zone of it, and how the zone fills the network's shape."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictures.fit import NEUTRAL, fit
from pictures.framing import WHOLE, Fit, Framing

# Columns 0..7 are 0, 10, ... 70: what is left of a picture shows which part of it was taken.
COLUMNS = np.tile(np.arange(8, dtype=np.uint8) * 10, (4, 1))  # (4, 8)

shares = st.floats(0, 0.9)
extents = st.floats(0.05, 1)
sizes = st.tuples(st.integers(1, 50), st.integers(1, 50))


@st.composite
def framings(draw: st.DrawFn) -> Framing:
    left, top = draw(shares), draw(shares)
    crop = (left, top, draw(st.floats(0.01, 1)) * (1 - left), draw(extents) * (1 - top))
    return Framing(draw(st.sampled_from([None, crop])), draw(st.sampled_from(get_args(Fit))))


def test_a_crop_is_a_zone_in_shares_of_the_picture() -> None:
    right = fit(COLUMNS, (1, 4, 4), Framing(crop=(0.5, 0, 0.5, 1)))
    assert right[0, 0].tolist() == [40, 50, 60, 70]
    # The shape is that of the picture already; the zone counts all the same.
    assert fit(COLUMNS, (1, 4, 8), Framing(crop=(0.5, 0, 0.5, 1)))[0, 0, 0] > 35


def test_cover_keeps_the_aspect_and_cuts_off_both_sides_alike() -> None:
    assert fit(COLUMNS, (1, 4, 4), Framing(fit="cover"))[0, 0].tolist() == [20, 30, 40, 50]


def test_pad_keeps_the_aspect_and_fills_the_rest_with_grey() -> None:
    padded = fit(COLUMNS, (1, 8, 8), Framing(fit="pad"))
    assert padded[0, :, 0].tolist() == [NEUTRAL] * 2 + [0] * 4 + [NEUTRAL] * 2
    assert padded[0, 3].tolist() == COLUMNS[0].tolist()
    colour = fit(np.stack([COLUMNS] * 3), (3, 8, 8), Framing(fit="pad"))
    assert colour[:, 0, 0].tolist() == [NEUTRAL] * 3


@given(framings(), sizes, sizes)
def test_a_box_lies_within_the_picture_and_fills_no_more_than_the_shape(
    framing: Framing, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    left, top, right, bottom = framing.box(size, wanted)
    assert 0 <= left < right <= size[0] + 1e-9
    assert 0 <= top < bottom <= size[1] + 1e-9
    inner = framing.inner((left, top, right, bottom), wanted)
    assert all(1 <= inner[axis] <= wanted[axis] for axis in (0, 1))
    assert inner == wanted or framing.fit == "pad"
    pixels = np.zeros((size[1], size[0]), np.uint8)
    assert fit(pixels, (3, wanted[1], wanted[0]), framing).shape == (3, wanted[1], wanted[0])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"crop": (0.5, 0, 0.6, 1)}, "at most 1"),
        ({"crop": (-0.1, 0, 1, 1)}, "from 0 on"),
        ({"crop": (0, 0, 0, 1)}, "at least"),
        ({"crop": (0, 0, float("nan"), 1)}, "shares"),
        ({"fit": "squeeze"}, "none of stretch, pad, cover"),
    ],
)
def test_what_is_no_zone_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Framing(**wrong)


def test_the_whole_picture_is_the_default() -> None:
    assert np.array_equal(fit(COLUMNS, (1, 4, 8), WHOLE)[0], COLUMNS)
