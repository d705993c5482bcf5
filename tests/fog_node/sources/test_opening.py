"""Where pictures come from, and one plain sentence when none do."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fog_node.sources.live import LiveSource
from fog_node.sources.opening import Opening, open_sources
from fog_node.sources.source import Picture, Source, SourceError
from pictures.dataset import Pictures, load
from pictures.framing import WHOLE
from pictures.reading import read_picture
from tests.broker.strategies import SECRETS, addresses_with, shows
from tests.fog_node.sources.looking import open_source

load_once = cache(load)  # it takes seconds
GREY, COLOUR = (1, 4, 6), (3, 4, 6)


def save(path: Path, value: int, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode == "L" else (value, 0, 0)
    Image.new(mode, (8, 8), colour).save(path)


def taken(source: Source, shape: tuple[int, int, int]) -> Picture:
    picture = source.take(shape, WHOLE, 0.0)
    assert picture is not None
    return picture


def sentence(text: str, shape: tuple[int, int, int] = GREY) -> str:
    with pytest.raises(SourceError) as caught:
        taken(open_source(text), shape)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def mnist(monkeypatch: pytest.MonkeyPatch) -> Pictures:
    monkeypatch.setattr("fog_node.sources.named.load", load_once)
    return load_once("mnist").test


def test_mnist_gives_its_held_out_digits_with_labels(mnist: Pictures) -> None:
    source = open_source("mnist", offset=3)
    assert source.length == len(mnist) == 1000
    for index in range(3, 8):
        picture = taken(source, (1, 28, 28))
        np.testing.assert_array_equal(picture.pixels, mnist.pixels[index])
        assert picture.label == str(mnist.labels[index])


def test_a_data_set_begins_again_at_its_end(mnist: Pictures) -> None:
    source = open_source("mnist", offset=999)
    for index in (999, 0):
        np.testing.assert_array_equal(taken(source, (1, 28, 28)).pixels, mnist.pixels[index])


def test_a_folder_gives_its_pictures_by_name_with_the_name_of_their_folder(tmp_path: Path) -> None:
    save(tmp_path / "dog" / "2.png", 20)
    save(tmp_path / "dog" / "1.jpg", 10)
    save(tmp_path / "cat" / "1.PNG", 30)
    (tmp_path / "dog" / "notes.txt").write_text("none", encoding="ascii")
    source = open_source(str(tmp_path))
    assert source.length == 3
    got = [taken(source, GREY) for _ in range(4)]
    assert [picture.label for picture in got] == ["cat", "dog", "dog", "cat"]
    assert [int(picture.pixels.mean()) for picture in got] == [30, 10, 20, 30]
    assert taken(open_source(str(tmp_path), offset=1), GREY).label == "dog"


def test_files_are_told_by_what_is_in_them_and_the_others_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "cat" / "1.png", 10)
    (tmp_path / "cat" / "1.png").rename(tmp_path / "cat" / "photo")
    (tmp_path / "cat" / "notes.jpg").write_text("no picture", encoding="ascii")
    (tmp_path / ".hidden.png").write_bytes(b"garbage")
    source = open_source(str(tmp_path))
    assert (source.length, source.counters["skipped"]) == (1, 1)
    assert taken(source, GREY).name == "cat/photo"
    assert caplog.messages == [
        f"{tmp_path}: 1 files skipped (cat/notes.jpg: not a picture but text)"
    ]


def test_a_damaged_picture_is_skipped_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        save(tmp_path / f"{number}.png", number)
    whole = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes(whole[: len(whole) // 2])
    source = open_source(str(tmp_path))
    pictures = [source.take(GREY, WHOLE, 0.0) for _ in range(5)]
    values = [None if each is None else int(each.pixels.mean()) for each in pictures]
    assert values == [1, None, 3, 1, 3]
    assert source.counters["skipped"] == 1
    (line,) = caplog.messages
    assert str(tmp_path / "2.png") in line


def test_pictures_that_were_passed_over_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 7):
        save(tmp_path / f"{number}.png", number)
    read: list[tuple[str, object]] = []

    def reading(path: Path, at_least: tuple[int, int] | None) -> object:
        read.append((path.name, at_least))
        return read_picture(path, at_least)

    monkeypatch.setattr("fog_node.sources.folder.read_picture", reading)
    source = open_source(str(tmp_path))
    values = []
    for skipped in (0, 2, 1, 1_000_000):
        source.skip(skipped)
        values.append(int(taken(source, GREY).pixels.mean()))
    assert values == [1, 4, 6, 1]
    assert read == [(f"{value}.png", (4, 6)) for value in values]


def test_a_folder_of_damaged_pictures_only_is_one_sentence(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"garbage")
    assert sentence(str(tmp_path)).startswith(
        f"{tmp_path}: no pictures in it (1.png: not a picture"
    )


def test_a_file_is_one_picture_over_and_over(tmp_path: Path) -> None:
    save(tmp_path / "door.png", 200, "RGB")
    source = open_source(str(tmp_path / "door.png"))
    assert source.length == 1
    first, second = taken(source, COLOUR), taken(source, COLOUR)
    assert first.pixels.shape == COLOUR
    assert first.pixels.dtype == np.uint8
    assert first.pixels[:, 0, 0].tolist() == [200, 0, 0]
    np.testing.assert_array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_pictures_are_fitted_to_what_the_network_takes(
    tmp_path: Path, shape: tuple[int, int, int]
) -> None:
    save(tmp_path / "door.png", 200)
    assert taken(open_source(str(tmp_path)), shape).pixels.shape == shape


def test_what_gives_no_pictures_is_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert sentence(str(missing)).startswith(f"{missing}: no such file or folder")
    assert "no pictures in it" in sentence(str(tmp_path))
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    assert sentence(str(bad)).startswith(f"{bad}: ")


def test_a_shape_that_no_picture_has_is_one_sentence(tmp_path: Path) -> None:
    save(tmp_path / "door.png", 200)
    assert "neither grey nor colour" in sentence(str(tmp_path), (2, 4, 6))


def test_a_camera_that_is_none_is_one_sentence() -> None:
    assert sentence("webcam:front").startswith("webcam:front: ")


@given(SECRETS.flatmap(lambda secret: st.tuples(st.just(secret), addresses_with(secret))))
def test_neither_a_refusal_nor_a_log_shows_the_password_of_a_camera(drawn: tuple[str, str]) -> None:
    secret, address = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cv2", None)
        try:
            (source,) = open_sources(address, 1, Opening())
            assert isinstance(source, LiveSource)
            told = source.feed.name
        except SourceError as error:
            told = str(error)
    assert not shows(secret, told)


def test_an_address_that_is_too_long_for_a_file_is_one_sentence() -> None:
    assert sentence(f"cam:{'x' * 5000}@door") == "…: File name too long"
