"""From Pillow's many kinds of pixels to grey or colour of eight bits.

The rules, which `docs/data-sets.md` states: of 16 bits the upper eight count; integers of 32 bits are
16-bit values; floats are shares of white if none is beyond 1, else values up to 255; what is
transparent shows a neutral grey; a palette of greys is grey.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pictures.fit import NEUTRAL

_CONVERTED: Final = frozenset({"1", "CMYK", "HSV", "L", "P", "RGB", "RGBX", "YCbCr"})
_SIXTEEN: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})


class UnreadablePixelsError(Exception):
    """Pixels that no rule says how to read; a few words."""


def is_grey(image: Image.Image) -> bool:
    """Whether a picture is grey, which its header tells: one channel, or a palette of greys."""
    if image.mode in ("P", "PA"):
        palette = image.getpalette("RGB") or []
        return bool(palette) and palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")


def eight_bits(image: Image.Image) -> Image.Image:
    """Return a loaded picture in mode L if it is grey, else in mode RGB.

    Raises UnreadablePixelsError.
    """
    if image.mode in _SIXTEEN:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "I":
        return Image.fromarray(_of_integers(np.asarray(image)))
    if image.mode == "F":
        return Image.fromarray(_of_floats(np.asarray(image)))
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        return image
    if image.has_transparency_data:
        colours = _on_grey(image.convert("RGBA"))
    elif image.mode in _CONVERTED:
        colours = image.convert("RGB")
    else:
        raise UnreadablePixelsError(f"pixels of the kind {image.mode}, which are not read")
    return colours.getchannel("G") if is_grey(image) else colours


def _on_grey(image: Image.Image) -> Image.Image:
    ground = Image.new("RGB", image.size, (NEUTRAL,) * 3)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground


def _of_integers(values: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    if values.min() < 0 or values.max() > 65535:
        raise UnreadablePixelsError(
            f"integer pixels from {values.min()} to {values.max()}; only 0 to 65535 is read"
        )
    return (values >> 8).astype(np.uint8)


def _of_floats(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    if not np.isfinite(values).all():
        raise UnreadablePixelsError("float pixels that are no numbers (NaN or infinite)")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 255:
        raise UnreadablePixelsError(
            f"float pixels from {low:g} to {high:g}; only 0 to 1 or 0 to 255 is read"
        )
    return np.rint(values * 255 if high <= 1 else values).astype(np.uint8)
