"""One reader for training and cameras: read right, or refused in one line that says why."""

import io
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures.errors import DatasetError
from pictures.framing import Framing
from pictures.reading import decode_picture, read_header, read_picture, size_needed
from tests.pictures.odd_files import OddFile, Refused, as_jpeg, readable, refused

READABLE, REFUSED = list(readable()), list(refused())


def written(odd: OddFile | Refused, folder: Path) -> Path:
    path = folder / odd.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow as a writer
        odd.write(path)
    return path


@pytest.mark.parametrize("odd", READABLE, ids=lambda odd: odd.name)
def test_an_odd_picture_is_read_right(odd: OddFile, tmp_path: Path) -> None:
    path = written(odd, tmp_path)
    pixels = read_picture(path)
    assert pixels.dtype == np.uint8
    assert pixels.shape == odd.expected.shape
    assert np.abs(pixels.astype(int) - odd.expected).max() <= odd.tolerance
    assert np.array_equal(decode_picture(path.read_bytes(), "payload"), pixels)
    header = read_header(path)
    assert (1 if header.grey else 3, header.height, header.width) == pixels.shape


@pytest.mark.parametrize("odd", REFUSED, ids=lambda odd: odd.name)
def test_what_cannot_be_read_is_refused_in_one_line(odd: Refused, tmp_path: Path) -> None:
    path = written(odd, tmp_path)
    with pytest.raises(DatasetError, match=odd.reason) as refusal:
        read_picture(path)
    said = str(refusal.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    assert len(said) < len(str(path)) + 200


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"absent\.png: no such file"):
        read_picture(tmp_path / "absent.png")
    with pytest.raises(DatasetError, match="null"):
        read_picture(Path("a\0b.png"))


def test_heic_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = next(odd for odd in READABLE if odd.name == "phone.heic")
    path = written(odd, tmp_path)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DatasetError, match=r"phone\.heic: an HEIC picture; .*'\.\[heif\]'"):
        read_picture(path)


def test_avif_without_a_decoder_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(next(odd for odd in READABLE if odd.name == "next.avif"), tmp_path)
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    monkeypatch.setattr(Image, "init", lambda: None)
    with pytest.raises(DatasetError, match=r"Pillow 11\.3 or newer"):
        read_picture(path)


def test_a_large_jpeg_is_decoded_smaller_and_never_below_what_is_needed() -> None:
    upright = np.tile(np.linspace(0, 255, 1600).astype(np.uint8), (1200, 1))
    exif = Image.Exif()
    exif[0x0112] = 6
    jpeg = as_jpeg(np.stack([upright] * 3, axis=2), exif=exif.tobytes())
    assert decode_picture(jpeg, "large").shape == (3, 1600, 1200)
    small = decode_picture(jpeg, "large", at_least=(96, 72))
    assert small.shape == (
        3,
        400,
        300,
    )  # an eighth would be 200 x 150, less than twice what is needed
    # A quarter turn to the right: dark on top. Each pixel is the mean of four times four.
    means = upright.reshape(300, 4, 400, 4).mean((1, 3)).swapaxes(0, 1)[:, ::-1]
    assert np.abs(small[0] - means).max() <= 2
    assert decode_picture(jpeg, "large", at_least=(300, 10)).shape == (3, 800, 600)
    assert decode_picture(jpeg, "large", at_least=(5000, 5000)).shape == (3, 1600, 1200)


def test_whoever_asks_for_little_gets_what_others_get() -> None:
    jpeg = as_jpeg(np.zeros((960, 1280, 3), np.uint8))
    assert decode_picture(jpeg, "a", (8, 8)).shape == decode_picture(jpeg, "a", (96, 96)).shape


def test_the_size_needed_grows_with_the_crop() -> None:
    assert size_needed((3, 72, 96)) == (72, 96)
    assert size_needed((3, 72, 96), Framing((0.5, 0.5, 0.25, 0.5))) == (144, 384)


def test_a_progressive_bomb_is_not_decoded_because_it_could_be_made_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pictures.reading.MOST_PIXELS", 1_000_000)
    grey = np.zeros((1200, 1600), np.uint8)
    assert decode_picture(as_jpeg(grey), "plain", (96, 96)).shape == (1, 300, 400)
    with pytest.raises(DatasetError, match="too large, 1600x1200"):
        decode_picture(as_jpeg(grey, progressive=True), "progressive", (96, 96))


def test_no_warning_of_pillow_gets_out_of_any_thread(tmp_path: Path) -> None:
    odd = next(odd for odd in READABLE if odd.name == "exif-endless.jpg")
    path = written(odd, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ThreadPoolExecutor(4) as pool:
            assert len(list(pool.map(read_picture, [path] * 40))) == 40
        with pytest.warns(UserWarning, match="ours"):
            warnings.warn("ours", UserWarning, stacklevel=1)


def test_damage_anywhere_is_one_line_or_a_picture() -> None:
    rng = np.random.default_rng(3)
    kinds: list[bytes] = []
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM"):
        data = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(data, kind)
        kinds.append(data.getvalue())
    for whole in kinds:
        for _ in range(25):
            torn = bytearray(whole)
            for at in rng.integers(0, min(len(torn), 200), 4):
                torn[at] = int(rng.integers(0, 256))
            said = _read_or_said(bytes(torn))
            assert said.startswith(("read", "torn: "))
            assert "\n" not in said


def _read_or_said(data: bytes) -> str:
    try:
        return f"read {decode_picture(data, 'torn').shape}"
    except DatasetError as refusal:
        return str(refusal)
