"""What the options say that a network is to see of each picture; pure."""

import re
from dataclasses import dataclass
from typing import Literal

from pictures.fit import COLOUR, GREY
from pictures.framing import Crop, Fit, Framing

Shape = tuple[int, int, int]  # channels, height, width
Colour = Literal["auto", "grey", "colour"]

MOST: int = 4096
"""Pixels of a side, as in a search file."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Size (the longer side, or width and height; None: what suits), colour, and the zone."""

    size: int | tuple[int, int] | None
    colour: Colour
    framing: Framing

    @property
    def suits(self) -> bool:
        """Whether size and colour are what suits the pictures."""
        return self.size is None and self.colour == "auto"

    def shape(self, suggested: Shape) -> Shape:
        """Return (C, H, W) where (C, H, W) is what suits the pictures, the zone taken into account."""
        channels, height, width = suggested
        channels = {"auto": channels, "grey": GREY, "colour": COLOUR}[self.colour]
        if isinstance(self.size, tuple):
            return channels, self.size[1], self.size[0]
        scale = 1.0 if self.size is None else self.size / max(width, height)
        return channels, max(1, round(height * scale)), max(1, round(width * scale))


def wanted(size: str | None, colour: Colour, crop: str | None, fit: Fit) -> Wanted:
    """Return what the options say. Raises ValueError, a sentence that names the option."""
    return Wanted(_size(size), colour, _framing(crop, fit))


def _size(text: str | None) -> int | tuple[int, int] | None:
    if text is None:
        return None
    sides = re.fullmatch(r"([0-9]{1,6})(?:x([0-9]{1,6}))?", text.strip().lower())
    if sides is None:
        raise ValueError(f"--size {text}: is neither pixels of the longer side nor WIDTHxHEIGHT")
    numbers = [int(side) for side in sides.groups() if side is not None]
    if not all(1 <= number <= MOST for number in numbers):
        raise ValueError(f"--size {text}: sides are from 1 to {MOST} pixels")
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


def _framing(crop: str | None, fit: Fit) -> Framing:
    try:
        return Framing(None if crop is None else _crop(crop), fit)
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def _crop(text: str) -> Crop:
    try:
        left, top, width, height = (float(share) for share in text.split(","))
    except ValueError:
        raise ValueError(
            f"crop {text}: is not LEFT,TOP,WIDTH,HEIGHT, shares of the picture"
        ) from None
    return left, top, width, height
