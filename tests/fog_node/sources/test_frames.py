"""Whatever OpenCV gives is a picture or is refused in a sentence."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fog_node.sources.frames import planes

BGR = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)  # one row of two pixels


def test_blue_green_red_becomes_red_green_blue() -> None:
    made = planes(BGR)
    assert made.tolist() == [[[3, 6]], [[2, 5]], [[1, 4]]]
    assert made.flags["C_CONTIGUOUS"]


def test_alpha_is_dropped() -> None:
    with_alpha = np.concatenate([BGR, np.full((1, 2, 1), 9, np.uint8)], axis=2)
    np.testing.assert_array_equal(planes(with_alpha), planes(BGR))


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1)])
def test_grey_is_one_channel(shape: tuple[int, ...]) -> None:
    frame = np.arange(24, dtype=np.uint8).reshape(shape)
    assert planes(frame).tolist() == [frame.reshape(4, 6).tolist()]


def test_sixteen_bits_become_eight() -> None:
    assert planes(np.array([[0, 257, 65535]], np.uint16)).tolist() == [[[0, 1, 255]]]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 6, 2), np.uint8),
        np.zeros((4, 6, 3), np.float32),
        np.zeros((0, 6, 3), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((1, 4, 6, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(frame: NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match="is no picture"):
        planes(frame)
