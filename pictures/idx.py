"""IDX, the file format of MNIST and Fashion-MNIST: a short header, then bytes.

Format: http://yann.lecun.com/exdb/mnist/ - two zero bytes, a type byte (0x08: unsigned byte), the
number of dimensions, each dimension as a big-endian 32-bit number, then the values, last index
fastest.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pictures.errors import DatasetError

UNSIGNED_BYTE = 0x08
MAX_DIMENSIONS = 4
MAX_BYTES = 4 * 2**30  # a header that promises more lies or is not for this machine


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, plain or `.gz`.

    Returns the array in the shape of the header: labels (N,), grey pictures (N, H, W).
    Raises DatasetError when the file is missing, no IDX file of bytes, truncated or too long.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return _read(file, path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except EOFError:
        raise DatasetError(f"{path}: truncated") from None
    except (OSError, zlib.error) as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None


def _read(file: BinaryIO | gzip.GzipFile, path: Path) -> npt.NDArray[np.uint8]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DatasetError(f"{path}: not an IDX file")
    kind, dimensions = magic[2], magic[3]
    if kind != UNSIGNED_BYTE:
        raise DatasetError(f"{path}: IDX values of type 0x{kind:02x}, only unsigned bytes are read")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise DatasetError(f"{path}: an IDX file of {dimensions} dimensions")
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DatasetError(f"{path}: truncated in its header")
    shape = struct.unpack(f">{dimensions}I", header)
    expected = math.prod(shape)
    if expected > MAX_BYTES:
        raise DatasetError(f"{path}: its header promises {expected} bytes, more than is sound")
    values = file.read(expected)
    if len(values) < expected:
        raise DatasetError(f"{path}: truncated, {len(values)} of {expected} bytes")
    if file.read(1):
        raise DatasetError(f"{path}: longer than the {expected} bytes its header promises")
    return np.frombuffer(values, np.uint8).reshape(shape)
