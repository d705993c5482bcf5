"""Whether pictures that were changed still look like pictures of their class: told by neighbours.

A changed picture is of use in training where it resembles real ones and does not mislead. Both are
seen without training: pictures set apart are recognised by their nearest neighbour among the others,
once as these are, once with changed copies beside them. N is a number of pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pictures.labelled import Pictures

Pixels = npt.NDArray[np.uint8]  # (N, C, H, W)
Floats = npt.NDArray[np.float32]

COMPARED: Final = 3000
"""Pictures looked at, at most: enough to see a few per cent, done in a second."""
SIDE: Final = 16
"""Pixels a side that pictures are averaged to: a small shift is no difference then."""
OFTEN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Likeness:
    """What changed copies did to `compared` pictures: how many had one as the nearest, and what of it.

    used: pictures whose nearest neighbour is a changed copy. won, lost: of these, how many are
    recognised only thanks to it, and how many no longer are.
    """

    compared: int
    used: int
    won: int
    lost: int

    @property
    def helps(self) -> bool:
        """Whether changed copies resemble a tenth of the pictures, and mislead no more than they help."""
        return self.used > 0 and self.used >= OFTEN * self.compared and self.won >= self.lost


def mirrored(pixels: Pixels) -> Pixels:
    """Mirror pictures (N, C, H, W), left to right."""
    return pixels[..., ::-1]


def likeness(pictures: Pictures, changed: Callable[[Pixels], Pixels] = mirrored) -> Likeness:
    """Compare a third of the pictures with the rest, and with changed copies of the rest.

    Brightness and contrast are no difference. Too few pictures to compare count as no help.
    """
    count = min(len(pictures), COMPARED)
    if count < 3:
        return Likeness(0, 0, 0, 0)
    chosen = pictures if count == len(pictures) else pictures.split(count)[1]
    rest, apart = chosen.split(count // 3)
    wanted = _features(apart.pixels)
    plain, near = _nearest(wanted, _features(rest.pixels))
    copy, nearer = _nearest(wanted, _features(changed(rest.pixels)))
    used = nearer > near
    before = rest.labels[plain] == apart.labels
    after = rest.labels[copy] == apart.labels
    return Likeness(
        compared=len(apart),
        used=int(used.sum()),
        won=int((used & after & ~before).sum()),
        lost=int((used & before & ~after).sum()),
    )


def _nearest(wanted: Floats, among: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return for each of (N, D) the index of the most similar of (M, D), and how similar it is."""
    similar = wanted @ among.T  # (N, M) cosines
    return similar.argmax(1), similar.max(1)


def _features(pixels: Pixels) -> Floats:
    """Return what is compared, of length one: (N, C, H, W) -> (N, D)."""
    count, channels, height, width = pixels.shape
    rows, columns = min(SIDE, height), min(SIDE, width)
    high, wide = height // rows, width // columns
    cut = pixels[:, :, : rows * high, : columns * wide].astype(np.float32)
    small = cut.reshape(count, channels, rows, high, columns, wide).mean((3, 5))
    flat = small.reshape(count, -1)
    flat -= flat.mean(1, keepdims=True)
    result: Floats = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return result
