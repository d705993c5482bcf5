"""What a source of pictures is to a camera, and what a picture is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from broker.printable import printable
from broker.ranges import MOST_LABEL
from pictures.fit import fit
from pictures.framing import WHOLE, Framing

Shape = tuple[int, int, int]
Pixels = NDArray[np.uint8]

EVERY_TICK: Final = None
"""What a source that is paced by its camera says of its newest picture: there is one whenever it is wanted."""


class SourceError(Exception):
    """A source without pictures, in one sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, uint8 (C, H, W), and what is known of them.

    ``label`` is the true class where the source knows one, ``name`` what the source calls the picture:
    a path, a topic or the time of capture.
    """

    pixels: Pixels
    label: str | None = None
    name: str = ""


class Source(Protocol):
    """Pictures for one stream, fitted to what its network takes.

    A finite one (a folder, a data set) has a picture whenever the camera wants the next. A live one
    has the newest or none: a picture that is not fresh is never handed out.
    """

    @property
    def length(self) -> int | None:
        """How many pictures there are; None for a source that never ends."""

    @property
    def counters(self) -> Mapping[str, int | float]:
        """What became of the pictures before they were sent, by name."""

    @property
    def trouble(self) -> str | None:
        """Why no pictures come at the moment."""

    def newest(self, now: float) -> int | None:
        """Return the number of the newest picture that may be sent, 0 if there is none.

        A finite source returns EVERY_TICK; ``now`` is monotonic seconds.
        """

    def want(self) -> None:
        """Take note that a picture is due and none is there: a source that is polled asks for one."""

    def skip(self, count: int) -> None:
        """Pass over pictures that newer ones took the place of."""

    def take(self, shape: Shape, framing: Framing, now: float) -> Picture | None:
        """Return the next picture, or the newest, as uint8 of ``shape`` (C, H, W).

        None: it could not be read, or is too old by now.

        Raises:
            SourceError: there is none any more.
        """

    def on_news(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` from any thread whenever there is a newer picture; a live source is read from now on."""

    def close(self) -> None:
        """Hand out no more pictures."""


def fitted(picture: Picture, shape: Shape, framing: Framing = WHOLE) -> Picture:
    """Return the picture as uint8 of ``shape`` (C, H, W)."""
    return replace(picture, pixels=fit(picture.pixels, shape, framing))


def picture_name(text: str) -> str:
    """Return ``text`` as a frame can carry it: no control characters, 512 characters at most."""
    return printable(printable(text, None), MOST_LABEL)
