"""Folders of class folders: what is read, what is skipped, what is refused, and how they are divided."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from pictures.dataset import load, suggested_shape, survey
from pictures.errors import DatasetError
from pictures.framing import Framing
from pictures.listing import Skipped, listing
from tests.pictures.made_pictures import write_picture
from tests.pictures.odd_files import content, png


def write_noise(path: Path, seed: int, size: tuple[int, int] = (12, 8), **extra: Any) -> None:
    """Write a picture (width, height) that is like no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8)).save(path, **extra)


def write_classes(folder: Path, **counts: int) -> Path:
    for label, (name, count) in enumerate(counts.items()):
        for index in range(count):
            write_noise(folder / name / f"{index}.png", 1000 * label + index)
    return folder


def test_about_a_fifth_of_each_class_is_held_out_and_the_classes_take_turns(tmp_path: Path) -> None:
    dataset = load(str(write_classes(tmp_path, cat=10, dog=15)))
    assert (dataset.classes, dataset.shape) == (("cat", "dog"), (3, 8, 12))
    assert np.bincount(dataset.test.labels).tolist() == [2, 3]
    assert dataset.test.labels.tolist() == [0, 1, 0, 1, 1]
    assert sorted([*dataset.train.files, *dataset.test.files]) == sorted(
        f"{name}/{index}.png"
        for name, count in (("cat", 10), ("dog", 15))
        for index in range(count)
    )
    for part in (dataset.train, dataset.test):
        for file, pixels in zip(part.files, part.pixels, strict=True):
            written = np.asarray(Image.open(tmp_path / file)).transpose(2, 0, 1)
            assert np.array_equal(pixels, written)


def test_the_same_folder_is_divided_the_same_way_whatever_the_shape(tmp_path: Path) -> None:
    folder = str(write_classes(tmp_path, cat=10, dog=10))
    parts = [
        load(folder),
        load(folder, (1, 300, 300)),
        load(folder, (3, 5, 5), Framing((0.5, 0.5, 0.5, 0.5), "cover")),
    ]
    assert len({part.test.files for part in parts}) == 1
    assert parts[2].framing.fit == "cover"


def test_a_fingerprint_is_another_once_a_picture_is(tmp_path: Path) -> None:
    folder = str(write_classes(tmp_path, cat=5, dog=5))
    before = load(folder).fingerprint()
    assert load(folder).fingerprint() == before
    write_noise(tmp_path / "cat" / "3.png", 77)
    assert load(folder).fingerprint() != before


def test_train_and_test_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("val", 1)):
        for name in ("cat", "dog"):
            for index in range(count):
                write_noise(
                    tmp_path / part / name / f"{index}.png", crc32(f"{part}{name}{index}".encode())
                )
    dataset = load(str(tmp_path))
    assert (len(dataset.train), len(dataset.test)) == (6, 2)
    assert dataset.test.files == ("val/cat/0.png", "val/dog/0.png")


def test_pictures_are_found_by_content_in_nested_folders_and_others_are_skipped_by_name(
    tmp_path: Path,
) -> None:
    write_classes(tmp_path, cat=4, dog=4)
    write_noise(tmp_path / "cat" / "2025" / "may" / "x.JPG", 77, format="PNG")
    for name in (".DS_Store", "Thumbs.db", "__MACOSX/._1.png", ".thumbs/1.png"):
        path = tmp_path / "dog" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left behind")
    (tmp_path / "dog" / "notes.txt").write_text("the white one")
    (tmp_path / "dog" / "empty.jpg").touch()
    (tmp_path / "dog" / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "dog" / "round").symlink_to(tmp_path / "dog", target_is_directory=True)
    (tmp_path / "dog" / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "dog" / "pipe.jpg")
    (tmp_path / "README").write_text("mine")
    content(png(60_000, 60_000, 8, 2, b""))(tmp_path / "dog" / "bomb.png")
    torn = (tmp_path / "dog" / "1.png").read_bytes()[:200]
    (tmp_path / "dog" / "torn.png").write_bytes(torn)
    dataset = load(str(tmp_path))
    assert "cat/2025/may/x.JPG" in {*dataset.train.files, *dataset.test.files}
    assert dataset.passed_over == 4
    reasons = {each.file: each.reason for each in dataset.skipped}
    assert reasons == {
        "README": "not in a class's folder",
        "dog/bomb.png": "too large, more pixels than any camera makes",
        "dog/empty.jpg": "empty, 0 bytes",
        "dog/gone.jpg": "a link to nothing",
        "dog/notes.txt": "not a picture but text",
        "dog/pipe.jpg": "a FIFO, not a file",
        "dog/round": "a folder within itself",
        "dog/torn.png": "truncated, its end is missing",
        "dog/up": "a folder within itself",
    }
    assert any("9 files are skipped" in warning for warning in dataset.warnings)


def test_a_folder_is_listed_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a.png", "c.txt"):
        write_picture(tmp_path / name, 1) if name.endswith("png") else (tmp_path / name).touch()
    listed = listing(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in listed.paths] == [
        "a.png",
        "b/10.png",
        "b/2.png",
    ]
    assert listed.skipped == (Skipped("c.txt", "empty, 0 bytes"),)
    with pytest.raises(DatasetError, match="absent: No such file"):
        listing(tmp_path / "absent")


@pytest.mark.parametrize(
    ("sizes", "framing", "shape"),
    [
        ([(640, 480)], Framing(), (3, 48, 64)),
        ([(30, 20)], Framing(), (3, 20, 30)),
        ([(48, 64), (640, 480), (640, 480)], Framing(), (3, 48, 64)),
        ([(640, 480)], Framing((0.0, 0.0, 0.5, 0.5)), (3, 48, 64)),
        ([(640, 480)], Framing((0.0, 0.0, 0.25, 1.0)), (3, 64, 21)),
        ([(4000, 2)], Framing(), (3, 1, 64)),
    ],
)
def test_the_suggested_shape_has_the_aspect_of_most_pictures(
    tmp_path: Path, sizes: list[tuple[int, int]], framing: Framing, shape: tuple[int, int, int]
) -> None:
    for index, size in enumerate(sizes):
        write_picture(tmp_path / "x" / f"{index}.png", 5, size, mode="RGB")
    assert suggested_shape(tmp_path, framing) == shape


def test_grey_is_suggested_where_all_pictures_are_grey(tmp_path: Path) -> None:
    write_picture(tmp_path / "x" / "1.png", 5, (8, 8))
    assert suggested_shape(tmp_path) == (1, 8, 8)
    write_picture(tmp_path / "x" / "2.png", 5, (8, 8), mode="RGB")
    assert suggested_shape(tmp_path) == (3, 8, 8)


def _pictures_outside(folder: Path) -> None:
    write_noise(folder / "1.png", 1)


def _one_class(folder: Path) -> None:
    write_classes(folder, cat=5)


def _one_folder_too_deep(folder: Path) -> None:
    write_classes(folder / "archive", cat=3, dog=3)


def _one_picture(folder: Path) -> None:
    write_classes(folder, cat=5, dog=1)


def _no_pictures(folder: Path) -> None:
    write_classes(folder, cat=5)
    (folder / "dog").mkdir()
    (folder / "dog" / "a.txt").write_text("words")


def _all_damaged(folder: Path) -> None:
    write_classes(folder, cat=5, dog=3)
    for path in (folder / "dog").iterdir():
        path.write_bytes(path.read_bytes()[:200])


def _all_the_same(folder: Path) -> None:
    for name in ("cat", "dog"):
        for index in range(3):
            write_noise(folder / name / f"{index}.png", 1)


def _only_in_the_test(folder: Path) -> None:
    write_classes(folder / "train", cat=3, dog=3)
    write_classes(folder / "test", cat=3, bird=2)


def _control_characters(folder: Path) -> None:
    write_classes(folder, cat=3, **{"d\no\x1bg": 3})


def _no_name(folder: Path) -> None:
    write_classes(folder, cat=3, **{" ": 3})


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Path.mkdir, "neither IDX files nor folders of pictures: no folders; give each class a folder"),
        (_pictures_outside, "1 files, but no folders; give each class"),
        (_one_class, r"one class only \(cat\), there is nothing to tell apart; add a folder"),
        (_one_folder_too_deep, r"one class only \(archive\); if .* cat and dog, are the classes, name .*archive"),
        (_one_picture, "class dog has 1 picture that can be read; it takes 2 at least"),
        (_no_pictures, r"dog: no pictures in it \(its 1 files are skipped; dog/a.txt: not a picture but text\)"),
        (_all_damaged, "class dog has no picture that can be read"),
        (_all_the_same, "all 6 pictures are the same one; take different ones"),
        (_only_in_the_test, "class bird has no pictures in train, only 2 to test on; move some"),
        (_control_characters, "names a class, but has control characters"),
        (_no_name, "has an empty name"),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_refused_with_what_to_do(
    tmp_path: Path, made: Callable[[Path], None], reason: str
) -> None:
    folder = tmp_path / "set"
    made(folder)
    with pytest.raises(DatasetError, match=reason) as refusal:
        load(str(folder))
    assert "\n" not in str(refusal.value)


def warned(folder: Path) -> str:
    return "\n".join(load(str(folder)).warnings)


def test_what_should_not_be_so_is_warned_of(tmp_path: Path) -> None:
    said = warned(write_classes(tmp_path, cat=48, dog=3))
    assert "unequal classes: 48 pictures of cat, 3 of dog (16:1); take more of dog" in said
    assert "few pictures: dog has 3; 20 or more of each class are better" in said
    assert warned(write_classes(tmp_path / "good", cat=20, dog=30)) == ""


def test_copies_in_two_classes_are_named(tmp_path: Path) -> None:
    write_classes(tmp_path, cat=20, dog=20)
    (tmp_path / "dog" / "copy.png").write_bytes((tmp_path / "cat" / "3.png").read_bytes())
    again = Image.open(tmp_path / "cat" / "4.png")
    again.save(tmp_path / "dog" / "again.webp", lossless=True)
    said = warned(tmp_path)
    assert "the same picture in two classes: cat/3.png and dog/copy.png" in said
    assert "nearly the same picture in two classes: cat/4.png and dog/again.webp" in said


def test_copies_on_both_sides_of_a_given_test_are_named(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", cat=20, dog=20)
    write_noise(tmp_path / "test" / "cat" / "leak.png", 5)
    write_noise(tmp_path / "test" / "dog" / "new.png", 5000)
    assert "train/cat/5.png and test/cat/leak.png" in warned(tmp_path)


def test_a_class_that_is_one_picture_over_and_over_is_warned_of(tmp_path: Path) -> None:
    write_classes(tmp_path, cat=20)
    for index in range(20):
        write_noise(tmp_path / "dog" / f"{index}.png", 999)
    dataset = load(str(tmp_path))
    assert any("dog: its 20 pictures hardly differ; take more" in each for each in dataset.warnings)
    assert np.bincount(dataset.test.labels).tolist() == [4, 4]  # a chain is divided


def test_a_class_that_is_one_film_is_warned_of_and_divided_in_time(tmp_path: Path) -> None:
    write_classes(tmp_path, cat=20)
    for second in range(40):
        write_noise(tmp_path / "dog" / f"20260103_1415{second:02}.png", 500 + second)
    dataset, found = survey(tmp_path)
    (warning,) = dataset.warnings
    assert warning.startswith("dog: 40 of 40 pictures were taken one after the other; take more")
    held = sorted(int(file[-6:-4]) for file in dataset.test.files if file.startswith("dog"))
    assert len(held) == 8
    assert held[3] == held[0] + 3  # two pieces of four seconds each
    assert held[7] == held[4] + 3
    assert np.unique(found.scenes).size == 21


def test_a_burst_stands_on_one_side(tmp_path: Path) -> None:
    for name, hour in (("cat", 8), ("dog", 9)):
        for shot in range(8):
            for frame in range(3):
                file = f"IMG_20260103_{hour:02}{5 * shot:02}{frame:02}.png"
                write_noise(tmp_path / name / file, crc32(f"{name}{shot}.{frame}".encode()))
    dataset, found = survey(tmp_path)
    assert len(np.unique(found.groups)) == 16
    held = {file[:-6] for file in dataset.test.files}
    assert not held & {file[:-6] for file in dataset.train.files}
    assert np.bincount(dataset.test.labels).tolist() == [6, 6]
    rest, part = dataset.train.split(10)
    assert not {file[:-6] for file in part.files} & {file[:-6] for file in rest.files}
