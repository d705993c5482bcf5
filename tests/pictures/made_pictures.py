"""Small data sets on disk, made by the tests themselves."""

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


def write_idx(path: Path, values: npt.NDArray[np.uint8]) -> None:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    content = header + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_idx_folder(folder: Path, train: int = 40, test: int = 20, size: int = 8) -> Path:
    """Two classes that differ in brightness, so that anything that learns tells them apart."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        labels = (np.arange(count) % 2).astype(np.uint8)
        noise = rng.integers(0, 100, (count, size, size))
        pixels = (noise + 150 * labels[:, None, None]).astype(np.uint8)
        write_idx(folder / f"{part}-images-idx3-ubyte", pixels)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)
    return folder


def write_picture(path: Path, level: int, size: tuple[int, int] = (6, 4), mode: str = "L") -> None:
    """Write one even picture of a (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level, 0, 0)).save(path)
