"""What a network sees of a picture, and how that is fitted into its shape."""

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

Crop = tuple[float, float, float, float]  # left, top, width and height
Fit = Literal["stretch", "pad", "cover"]
Box = tuple[float, float, float, float]  # left, top, right and bottom, in pixels

LEAST_EXTENT: Final = 1e-3
"""A crop narrower than this share of the picture is a mistake."""


@dataclass(frozen=True, slots=True)
class Framing:
    """The zone of a picture that a network sees, and how the zone fills the network's shape.

    crop: left, top, width and height of the zone, shares of the upright picture's width and height;
    None is the whole picture. fit: ``stretch`` changes the aspect, ``pad`` keeps it and fills the
    rest with grey, ``cover`` keeps it and cuts off what stands out, the same on both sides.
    """

    crop: Crop | None = None
    fit: Fit = "stretch"

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise ValueError(f"fit: {self.fit!r} is none of {', '.join(get_args(Fit))}")
        if self.crop is None:
            return
        left, top, width, height = self.crop
        if not all(math.isfinite(share) for share in self.crop) or min(left, top) < 0:
            raise ValueError("crop: left and top are shares of the picture, from 0 on")
        if min(width, height) < LEAST_EXTENT:
            raise ValueError(f"crop: width and height are at least {LEAST_EXTENT:g} of the picture")
        if max(left + width, top + height) > 1 + 1e-9:
            raise ValueError("crop: left + width and top + height are at most 1")

    def box(self, size: tuple[int, int], wanted: tuple[int, int]) -> Box:
        """Return the part of a picture that fills the network's shape (all but the bars of ``pad``).

        size: width and height of the picture. wanted: width and height of the shape. The box is at
        least one pixel wide and high, and lies within the picture.
        """
        left, top, width, height = self.crop or (0.0, 0.0, 1.0, 1.0)
        begin = [left * size[0], top * size[1]]
        extent = [max(1.0, width * size[0]), max(1.0, height * size[1])]
        if self.fit == "cover":
            scale = min(extent[axis] / wanted[axis] for axis in (0, 1))
            for axis in (0, 1):
                kept = max(1.0, wanted[axis] * scale)
                begin[axis] += (extent[axis] - kept) / 2
                extent[axis] = kept
        for axis in (0, 1):
            extent[axis] = min(extent[axis], float(size[axis]))
            begin[axis] = min(max(begin[axis], 0.0), size[axis] - extent[axis])
        return begin[0], begin[1], begin[0] + extent[0], begin[1] + extent[1]

    def inner(self, box: Box, wanted: tuple[int, int]) -> tuple[int, int]:
        """Return width and height that a box takes of the wanted ones: less than all only for ``pad``."""
        if self.fit != "pad":
            return wanted
        scale = min(wanted[0] / (box[2] - box[0]), wanted[1] / (box[3] - box[1]))
        return (
            min(wanted[0], max(1, round((box[2] - box[0]) * scale))),
            min(wanted[1], max(1, round((box[3] - box[1]) * scale))),
        )


WHOLE: Final = Framing()
"""The whole picture, stretched."""
