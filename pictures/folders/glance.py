"""Everything that is to be known of one picture, from reading and decoding its file once."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pictures.errors import UnreadableError
from pictures.fit import fit
from pictures.framing import Framing
from pictures.grouping.likeness import SIDE
from pictures.header import Header
from pictures.reading import LEAST_DECODED, decode_picture, decode_whole, read_bytes, size_needed

Shape = tuple[int, int, int]  # channels, height, width

_STANDARD: Final = (LEAST_DECODED, LEAST_DECODED)


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """One picture: its header, the hash of its file, a small grey version, and what a network sees.

    thumb: uint8 (SIDE, SIDE), of the whole picture and always decoded alike, so that a data set is
    divided the same way whatever shape it is read for. pixels: uint8 (C, H, W).
    """

    header: Header
    digest: bytes
    thumb: npt.NDArray[np.uint8]
    pixels: npt.NDArray[np.uint8]

    def without_pixels(self) -> "Glance":
        """Return the same without what a network sees, which takes the most memory."""
        return replace(self, pixels=np.empty(0, np.uint8))


def glance(path: Path, shape: Shape, framing: Framing) -> Glance:
    """Read one picture file. Raises UnreadableError."""
    data, name = read_bytes(path), str(path)
    try:
        header, whole = decode_whole(data, name, _STANDARD)
        needed = size_needed(shape, framing)
        finer = max(needed) > LEAST_DECODED
        return Glance(
            header,
            hashlib.blake2b(data, digest_size=16).digest(),
            fit(whole, (1, SIDE, SIDE))[0],
            fit(decode_picture(data, name, needed) if finer else whole, shape, framing),
        )
    except MemoryError:
        raise UnreadableError(path, "too large for the memory of this machine") from None
