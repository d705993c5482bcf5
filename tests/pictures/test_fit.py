"""Any picture becomes the shape a model takes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures.errors import DatasetError
from pictures.fit import fit, read_picture

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


def test_files_are_read_upright_and_in_eight_bits(tmp_path: Path) -> None:
    turned = Image.new("RGB", (5, 2))
    exif = turned.getexif()
    exif[0x0112] = 6  # the camera was held on its side
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").shape == (3, 5, 2)
    Image.fromarray(np.full((2, 2), 257 * 9, np.uint16)).save(tmp_path / "deep.png")
    assert read_picture(tmp_path / "deep.png").tolist() == [[[9, 9], [9, 9]]]
    Image.new("RGBA", (2, 2), (1, 2, 3, 4)).save(tmp_path / "clear.png")
    assert read_picture(tmp_path / "clear.png")[:, 0, 0].tolist() == [1, 2, 3]


def test_an_unreadable_file_is_refused_by_name(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(
        tmp_path / "torn.png"
    )
    torn = tmp_path / "torn.png"
    torn.write_bytes(torn.read_bytes()[:900])
    (tmp_path / "text.png").write_text("not a picture")
    for name in ("torn.png", "text.png", "absent.png"):
        with pytest.raises(DatasetError, match=name):
            read_picture(tmp_path / name)
