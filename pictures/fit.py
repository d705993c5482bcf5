"""From any picture to a model's input: zone, size and colour."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from pictures.framing import WHOLE, Framing

GREY, COLOUR = 1, 3  # channels
NEUTRAL = 128  # the grey of what a picture does not fill


def fit(
    pixels: npt.NDArray[np.uint8], shape: tuple[int, int, int], framing: Framing = WHOLE
) -> npt.NDArray[np.uint8]:
    """Turn one picture into another shape: what a model was trained on is what a camera sends.

    pixels: uint8 (H, W), or (C, H, W) with one channel (grey) or three (red, green, blue).
    shape: (C, H, W) wanted, C one or three. framing: the zone, and how it fills the shape.
    Returns uint8 of that shape. Smaller sizes are averaged (Pillow's bilinear filter), grey is
    ITU-R 601 luma. Raises ValueError for other shapes or other values than bytes.
    """
    given = pixels[np.newaxis] if pixels.ndim == 2 else pixels  # (C, H, W)
    if pixels.dtype != np.uint8:
        raise ValueError(f"a picture is bytes, not {pixels.dtype}")
    if given.ndim != 3 or given.shape[0] not in (GREY, COLOUR) or 0 in given.shape:
        raise ValueError(f"a picture is (H, W), (1, H, W) or (3, H, W), not {pixels.shape}")
    channels, height, width = shape
    if channels not in (GREY, COLOUR) or height < 1 or width < 1:
        raise ValueError(f"a picture of {shape} is neither grey nor colour")
    if given.shape == shape and framing.crop is None:
        return np.ascontiguousarray(given)
    if given.shape[0] == GREY:
        image = Image.fromarray(np.ascontiguousarray(given[0]))
    else:
        image = Image.fromarray(np.ascontiguousarray(given.transpose(1, 2, 0)))
    image = _framed(image, (width, height), framing)
    return planes(image.convert("L" if channels == GREY else "RGB"))


def _framed(image: Image.Image, wanted: tuple[int, int], framing: Framing) -> Image.Image:
    """Return an image of the wanted width and height: the framing's zone, grey where it has bars."""
    box = framing.box(image.size, wanted)
    inner = framing.inner(box, wanted)
    if image.size != inner or box != (0, 0, *image.size):
        image = image.resize(inner, Image.Resampling.BILINEAR, box=box)
    if inner == wanted:
        return image
    ground = Image.new(image.mode, wanted, NEUTRAL if image.mode == "L" else (NEUTRAL,) * COLOUR)
    ground.paste(image, ((wanted[0] - inner[0]) // 2, (wanted[1] - inner[1]) // 2))
    return ground


def planes(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the pixels of an image in mode L or RGB as uint8 (C, H, W)."""
    values = np.asarray(image, np.uint8)  # (H, W) or (H, W, 3)
    first = values[np.newaxis] if values.ndim == 2 else values.transpose(2, 0, 1)
    return np.ascontiguousarray(first)  # (C, H, W)
