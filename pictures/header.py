"""What the header of a picture file says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """Width and height of the upright picture in pixels, whether it is grey, and when it was taken.

    taken_s: seconds since 1970 by the camera's own clock, None where EXIF does not say.
    """

    width: int
    height: int
    grey: bool
    taken_s: float | None
