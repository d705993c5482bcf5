"""A frame as a picture that a person can look at."""

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from broker.tensor_specs import InputSpec
from pictures.fit import COLOUR, GREY

_QUALITY: Final = 90
_LONGEST: Final = 640
"""Pixels of the longer side: a picture is retained for every camera."""


def jpeg_of(data: NDArray[Any], taken: InputSpec) -> bytes | None:
    """Return a frame of shape (1, C, H, W) as a JPEG, None where it is no picture.

    ``data`` has pixels as uint8, or what the network takes as float32: ``(p / 255 - mean) / std``.
    """
    if data.ndim != len(taken.shape) or data.shape[0] != 1 or not data.size:
        return None
    pixels = np.asarray(data[0])  # (C, H, W)
    if pixels.shape[0] not in (GREY, COLOUR):
        return None
    if pixels.dtype != np.uint8:
        if pixels.shape[0] != len(taken.mean):
            return None
        scale, offset = (np.array(each)[:, None, None] for each in (taken.std, taken.mean))
        shares = np.nan_to_num(pixels.astype(np.float64)) * scale + offset
        pixels = np.clip(shares * 255, 0, 255).round().astype(np.uint8)
    grey = pixels.shape[0] == GREY
    picture = Image.fromarray(pixels[0] if grey else pixels.transpose(1, 2, 0))
    picture.thumbnail((_LONGEST, _LONGEST))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
