"""Data sets in folders: IDX files, or one folder of pictures per class."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pictures.errors import DatasetError
from pictures.fit import COLOUR, GREY, fit
from pictures.idx import read_idx
from pictures.labelled import Pictures, interleave
from pictures.reading import read_header, read_picture

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
TEST_EVERY = 5  # without a test folder, every fifth picture of a class is held out
MAX_BYTES = 4 * 2**30

Parts = tuple[tuple[str, ...], Pictures, Pictures]  # classes, train, test
Shape = tuple[int, int, int]  # channels, height, width


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds IDX files by the names that MNIST gave them."""
    return any(folder.glob("*idx[13]-ubyte*"))


def read_idx_folder(folder: Path, classes: tuple[str, ...] | None = None) -> Parts:
    """Read a folder of four IDX files: train and t10k (or test), images and labels.

    The classes are called by their numbers unless names are given.
    """
    train = _idx_part(folder, ("train",))
    test = _idx_part(folder, ("t10k", "test"))
    names = classes or tuple(str(label) for label in range(int(train.labels.max(initial=0)) + 1))
    if test.shape != train.shape:
        raise DatasetError(
            f"{folder}: train pictures are {train.shape}, test pictures {test.shape}"
        )
    for part in (train, test):
        if not len(part) or part.labels.max() >= len(names):
            raise DatasetError(f"{folder}: its labels are not the classes {', '.join(names)}")
    return names, train, test


def _idx_part(folder: Path, parts: Sequence[str]) -> Pictures:
    images = read_idx(_idx_file(folder, parts, "images"))
    labels = read_idx(_idx_file(folder, parts, "labels"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise DatasetError(
            f"{folder}: {parts[0]} images {images.shape} and labels {labels.shape} do not match"
        )
    return Pictures(images[:, np.newaxis], labels.astype(np.int64))


def _idx_file(folder: Path, parts: Sequence[str], kind: str) -> Path:
    for part in parts:
        for path in sorted(folder.glob(f"*{part}-{kind}[-.]idx[13]-ubyte*")):
            return path
    raise DatasetError(f"{folder}: no IDX file {parts[0]}-{kind}")


def read_class_folders(folder: Path, shape: Shape | None = None) -> Parts:
    """Read a folder with one folder of pictures per class, or such folders under train/ and test/.

    Without train/ and test/, every fifth picture of each class, by name, is held out for testing.
    All pictures are fitted to `shape`, else to the most common size (the earlier on a draw), grey
    if all of them are. The classes take turns in both parts, so that any beginning is balanced.
    """
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        train_files, test_files = (
            _files_by_class(folder / "train"),
            _files_by_class(folder / "test"),
        )
        if unknown := sorted(test_files.keys() - train_files.keys()):
            raise DatasetError(f"{folder / 'test'}: class {unknown[0]} has no pictures in train")
    else:
        files = _files_by_class(folder)
        test_files = {name: paths[TEST_EVERY - 1 :: TEST_EVERY] for name, paths in files.items()}
        train_files = {
            name: [path for path in paths if path not in set(test_files[name])]
            for name, paths in files.items()
        }
    if not any(test_files.values()):
        raise DatasetError(
            f"{folder}: no class has the {TEST_EVERY} pictures it takes to hold one out"
        )
    shape = shape or _common_shape([*_flat(train_files), *_flat(test_files)], folder)
    classes = tuple(sorted(train_files))
    return classes, _read(train_files, classes, shape), _read(test_files, classes, shape)


def _files_by_class(folder: Path) -> dict[str, list[Path]]:
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    if not folders:
        raise DatasetError(f"{folder}: neither IDX files nor folders of pictures in it")
    files = {
        each.name: sorted(path for path in each.iterdir() if path.suffix.lower() in SUFFIXES)
        for each in folders
    }
    for each in folders:
        if not files[each.name]:
            raise DatasetError(f"{each}: no pictures in it")
    return files


def _flat(files: dict[str, list[Path]]) -> list[Path]:
    return [path for name in sorted(files) for path in files[name]]


def _common_shape(paths: Sequence[Path], folder: Path) -> Shape:
    """Read the headers alone and return the most common size."""
    sizes: Counter[tuple[int, int]] = Counter()
    grey = True
    for path in paths:
        header = read_header(path)
        sizes[header.width, header.height] += 1
        grey = grey and header.grey
    ((width, height), _) = sizes.most_common(1)[0]
    shape = (GREY if grey else COLOUR, height, width)
    if len(paths) * shape[0] * height * width > MAX_BYTES:
        raise DatasetError(
            f"{folder}: {len(paths)} pictures of {width}x{height} do not fit in memory; scale them down"
        )
    return shape


def _read(files: dict[str, list[Path]], classes: tuple[str, ...], shape: Shape) -> Pictures:
    named = [(label, path) for label, name in enumerate(classes) for path in files.get(name, [])]
    labels = np.array([label for label, _ in named], np.int64)
    order = interleave(labels)
    pixels: npt.NDArray[np.uint8] = np.empty((len(named), *shape), np.uint8)
    for place, index in enumerate(order):
        pixels[place] = fit(read_picture(named[index][1]), shape)
    return Pictures(pixels, labels[order])
