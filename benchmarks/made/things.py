"""Small things that stand in a scene or not, open or closed: drawn with shades, so that light shows."""

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]
SMOOTHER: Final = 4  # drawn so many times larger, then averaged


class Sprite:
    """A canvas of one unit by one unit; `image` is RGBA."""

    def __init__(self, side: int) -> None:
        self.side = side * SMOOTHER
        self.image = Image.new("RGBA", (self.side, self.side), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Points, colour: Colour) -> None:
        """Fill a polygon; points in units, from the upper left."""
        self._draw.polygon([(x * self.side, y * self.side) for x, y in points], fill=(*colour, 255))

    def ellipse(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Fill an ellipse; box (left, top, right, bottom) in units."""
        self._draw.ellipse([edge * self.side for edge in box], fill=(*colour, 255))


def shade(colour: Colour, gain: float) -> Colour:
    """Return a lighter or darker colour."""
    red, green, blue = (min(255, int(value * gain)) for value in colour)
    return red, green, blue


def bin_closed(sprite: Sprite, colour: Colour) -> None:
    """Draw a wheeled bin with its lid down."""
    _bin_body(sprite, colour)
    sprite.polygon([(0.14, 0.2), (0.86, 0.2), (0.9, 0.31), (0.1, 0.31)], shade(colour, 1.35))


def bin_open(sprite: Sprite, colour: Colour) -> None:
    """Draw the same bin with its lid up: the lid stands behind, the inside is dark."""
    sprite.polygon([(0.16, 0.02), (0.84, 0.02), (0.86, 0.3), (0.14, 0.3)], shade(colour, 0.7))
    _bin_body(sprite, colour)
    sprite.polygon([(0.17, 0.26), (0.83, 0.26), (0.86, 0.38), (0.14, 0.38)], (22, 20, 20))


def _bin_body(sprite: Sprite, colour: Colour) -> None:
    sprite.polygon([(0.16, 0.28), (0.84, 0.28), (0.74, 0.94), (0.26, 0.94)], colour)
    sprite.polygon([(0.56, 0.28), (0.84, 0.28), (0.74, 0.94), (0.54, 0.94)], shade(colour, 0.75))
    for left in (0.26, 0.62):
        sprite.ellipse((left, 0.86, left + 0.14, 1.0), (25, 25, 28))


def box(sprite: Sprite, colour: Colour) -> None:
    """Draw a parcel, seen from a corner."""
    sprite.polygon([(0.05, 0.35), (0.55, 0.45), (0.55, 0.98), (0.05, 0.85)], colour)
    sprite.polygon([(0.55, 0.45), (0.97, 0.32), (0.97, 0.82), (0.55, 0.98)], shade(colour, 0.65))
    sprite.polygon([(0.05, 0.35), (0.48, 0.22), (0.97, 0.32), (0.55, 0.45)], shade(colour, 1.3))


def ball(sprite: Sprite, colour: Colour) -> None:
    """Draw a ball, lit from above."""
    sprite.ellipse((0.1, 0.1, 0.95, 0.95), shade(colour, 0.7))
    sprite.ellipse((0.12, 0.1, 0.82, 0.8), colour)
    sprite.ellipse((0.28, 0.22, 0.5, 0.42), shade(colour, 1.4))


def cone(sprite: Sprite, colour: Colour) -> None:
    """Draw a traffic cone with a white band."""
    sprite.polygon([(0.44, 0.02), (0.56, 0.02), (0.8, 0.9), (0.2, 0.9)], colour)
    sprite.polygon([(0.36, 0.38), (0.64, 0.38), (0.7, 0.6), (0.3, 0.6)], (235, 235, 230))
    sprite.polygon([(0.08, 0.88), (0.92, 0.88), (0.95, 0.98), (0.05, 0.98)], shade(colour, 0.6))


def bicycle(sprite: Sprite, colour: Colour) -> None:
    """Draw two wheels and a frame."""
    for left in (0.0, 0.56):
        sprite.ellipse((left, 0.5, left + 0.44, 0.94), (30, 30, 30))
        sprite.ellipse((left + 0.09, 0.59, left + 0.35, 0.85), (150, 150, 150))
    sprite.polygon(
        [(0.2, 0.74), (0.3, 0.3), (0.74, 0.3), (0.8, 0.74), (0.66, 0.4), (0.4, 0.4)], colour
    )
    sprite.polygon([(0.2, 0.2), (0.4, 0.2), (0.34, 0.34), (0.28, 0.34)], (40, 30, 30))


def plant(sprite: Sprite, colour: Colour) -> None:
    """Draw a pot with leaves."""
    for left, top in ((0.1, 0.2), (0.45, 0.1), (0.3, 0.0), (0.2, 0.3), (0.5, 0.32)):
        sprite.ellipse((left, top, left + 0.42, top + 0.36), (40 + int(60 * top), 120, 50))
    sprite.polygon([(0.25, 0.6), (0.75, 0.6), (0.66, 0.98), (0.34, 0.98)], colour)


def door_closed(sprite: Sprite, colour: Colour) -> None:
    """Draw a door in its frame."""
    sprite.polygon([(0.15, 0.0), (0.85, 0.0), (0.85, 1.0), (0.15, 1.0)], (225, 222, 215))
    sprite.polygon([(0.22, 0.06), (0.78, 0.06), (0.78, 1.0), (0.22, 1.0)], colour)
    sprite.polygon([(0.68, 0.5), (0.74, 0.5), (0.74, 0.56), (0.68, 0.56)], (240, 220, 120))


def door_open(sprite: Sprite, colour: Colour) -> None:
    """Draw the same door turned on its left hinge: dark inside, the leaf seen narrow."""
    sprite.polygon([(0.15, 0.0), (0.85, 0.0), (0.85, 1.0), (0.15, 1.0)], (225, 222, 215))
    sprite.polygon([(0.22, 0.06), (0.78, 0.06), (0.78, 1.0), (0.22, 1.0)], (30, 27, 26))
    sprite.polygon([(0.22, 0.06), (0.4, 0.12), (0.4, 0.94), (0.22, 1.0)], shade(colour, 0.85))


Thing = Callable[[Sprite, Colour], None]
STANDING: Final[dict[str, Thing]] = {
    "bin": bin_closed,
    "box": box,
    "ball": ball,
    "cone": cone,
    "bicycle": bicycle,
    "plant": plant,
}
STATES: Final[dict[str, dict[str, Thing]]] = {
    "bin": {"closed": bin_closed, "open": bin_open},
    "door": {"closed": door_closed, "open": door_open},
}
COLOURS: Final[tuple[Colour, ...]] = (
    (52, 92, 60),
    (70, 74, 82),
    (150, 108, 62),
    (168, 52, 44),
    (60, 84, 150),
    (214, 120, 40),
    (196, 176, 60),
)


def drawn(thing: Thing, colour: Colour, pixels: float) -> Image.Image:
    """Draw a thing that covers about `pixels` pixels: RGBA, a square of whatever side that takes."""
    sprite = Sprite(96)
    thing(sprite, colour)
    covered = np.asarray(sprite.image)[:, :, 3].mean() / 255
    side = max(2, round(float(np.sqrt(pixels / covered))))
    return sprite.image.resize((side, side), Image.Resampling.LANCZOS)
