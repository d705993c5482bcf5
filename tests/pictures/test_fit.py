"""Any picture becomes the shape a model takes."""

import numpy as np
import pytest

from pictures.fit import fit

GREY = np.arange(6 * 4, dtype=np.uint8).reshape(1, 6, 4)
RED = np.stack([np.full((6, 4), 255, np.uint8), *[np.zeros((6, 4), np.uint8)] * 2])


def test_a_picture_of_the_right_shape_stays_as_it_is() -> None:
    assert np.array_equal(fit(GREY, (1, 6, 4)), GREY)
    assert np.array_equal(fit(GREY[0], (1, 6, 4)), GREY)


@pytest.mark.parametrize("picture", [GREY, RED, GREY[0]])
@pytest.mark.parametrize("shape", [(1, 3, 2), (3, 3, 2), (1, 9, 20), (3, 6, 4)])
def test_size_and_colour_are_as_asked(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], shape: tuple[int, int, int]
) -> None:
    fitted = fit(picture, shape)
    assert fitted.shape == shape
    assert fitted.dtype == np.uint8


def test_colours_keep_their_meaning() -> None:
    assert fit(RED, (1, 1, 1)).item() == 76  # 0.299 of 255
    assert fit(RED, (3, 1, 1)).ravel().tolist() == [255, 0, 0]
    assert fit(np.full((1, 2, 2), 7, np.uint8), (3, 1, 1)).ravel().tolist() == [7, 7, 7]


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="not float32"):
        fit(GREY.astype(np.float32), (1, 2, 2))
    with pytest.raises(ValueError, match="a picture is"):
        fit(np.zeros((2, 4, 4), np.uint8), (1, 2, 2))
    with pytest.raises(ValueError, match="neither grey nor colour"):
        fit(GREY, (4, 2, 2))
