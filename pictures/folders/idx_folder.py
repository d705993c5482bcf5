"""Data sets as IDX files, by the names that MNIST gave them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pictures.errors import DatasetError
from pictures.idx import read_idx
from pictures.labelled import Pictures

Parts = tuple[tuple[str, ...], Pictures, Pictures]  # classes, train, test


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
