"""From the bytes of a picture file that came over the network to a picture."""

import io
import math
from collections.abc import Callable

from fog_node.sources.newest import Size
from fog_node.sources.source import Pixels, Shape
from pictures.errors import DatasetError
from pictures.fit import read_picture
from pictures.framing import Framing


def decoder(data: bytes, name: str) -> Callable[[Size], Pixels]:
    """Return what decodes ``data`` once it is wanted; a refusal begins with ``name``."""

    def decode(_at_least: Size) -> Pixels:
        try:
            return read_picture(io.BytesIO(data))  # type: ignore[arg-type]
        except DatasetError:
            raise DatasetError(f"{name}: a damaged picture") from None

    return decode


def size_needed(shape: Shape, framing: Framing) -> Size:
    """Return the height and width of the whole picture when its framed zone is to have a shape (C, H, W)."""
    _, _, width, height = framing.crop or (0.0, 0.0, 1.0, 1.0)
    return math.ceil(shape[1] / height), math.ceil(shape[2] / width)
