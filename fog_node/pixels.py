"""From the pixels of a frame to what the network takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.tensor_specs import InputSpec


def normalised(data: NDArray[Any], picture: InputSpec | None, tensor: str) -> NDArray[Any]:
    """Return what the network takes: pixels (uint8) of a frame become ``(p / 255 - mean) / std``.

    Shape (1, C, H, W); frames travel as pixels, a quarter of the bytes of float32.
    """
    if picture is None or tensor != picture.name or data.dtype != np.uint8:
        return data
    mean = np.asarray(picture.mean, np.float32).reshape(1, -1, 1, 1)
    std = np.asarray(picture.std, np.float32).reshape(1, -1, 1, 1)
    return (data.astype(np.float32) / np.float32(255.0) - mean) / std
