"""From what OpenCV gives, whatever it is, to the pixels of a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fog_node.sources.source import Pixels

_GREY, _BGR, _BGRA = 1, 3, 4
_SIXTEEN_TO_EIGHT = 257


def planes(frame: NDArray[Any]) -> Pixels:
    """Return a frame as uint8 (C, H, W): one channel of grey, or red, green and blue.

    frame: (H, W), (H, W, 1), (H, W, 3) blue-green-red or (H, W, 4) with alpha, which is dropped; uint8,
    or uint16 of the full range.

    Raises:
        ValueError: it is something else.
    """
    channels = 1 if frame.ndim == 2 else frame.shape[-1]
    if frame.ndim not in (2, 3) or channels not in (_GREY, _BGR, _BGRA) or 0 in frame.shape:
        raise ValueError(f"a frame of shape {frame.shape} is no picture")
    if frame.dtype == np.uint16:
        frame = (frame // _SIXTEEN_TO_EIGHT).astype(np.uint8)
    if frame.dtype != np.uint8:
        raise ValueError(f"a frame of {frame.dtype} is no picture")
    if channels == _GREY:
        return np.ascontiguousarray(frame.reshape(1, *frame.shape[:2]))
    return np.ascontiguousarray(frame[:, :, _BGR - 1 :: -1].transpose(2, 0, 1))
