"""Where a camera's pictures come from: a data set, a folder, a file, a webcam or a stream."""

import itertools
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.access.redaction import redacted
from pictures.dataset import load
from pictures.errors import DatasetError
from pictures.fit import fit
from pictures.reading import read_picture

_log = logging.getLogger("fog-camera")
Shape = tuple[int, int, int]
Pixels = NDArray[np.uint8]
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})


class SourceError(Exception):
    """A source without pictures, in one sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, uint8 (C, H, W), and what the source calls it: the true class where there is such a class."""

    pixels: Pixels
    label: str | None = None


class Source:
    """Pictures fitted to a shape; ``length`` is how many there are, None for a camera that never ends.

    ``damaged`` are files among them that could not be read; they are skipped.
    """

    def __init__(
        self, pictures: Iterator[Picture], length: int | None, damaged: Collection[Path] = ()
    ) -> None:
        self._pictures, self.length, self._damaged = pictures, length, damaged

    @property
    def skipped(self) -> int:
        """How many files could not be read so far."""
        return len(self._damaged)

    def skip(self, count: int) -> None:
        """Pass over pictures that newer ones took the place of."""
        for _ in itertools.islice(self._pictures, count):
            pass

    def next(self, shape: Shape) -> Picture:
        """Return the next picture as uint8 of ``shape`` (C, H, W).

        Raises:
            SourceError: there is none any more.
        """
        try:
            return fitted(next(self._pictures), shape)
        except StopIteration:
            raise SourceError("the source has no more pictures") from None
        except (DatasetError, ValueError) as error:
            raise SourceError(str(error)) from None


def fitted(picture: Picture, shape: Shape) -> Picture:
    """Return the picture as uint8 of ``shape`` (C, H, W)."""
    return Picture(fit(picture.pixels, shape), picture.label)


def open_source(text: str, offset: int = 0) -> Source:
    """Return the source that ``text`` names, beginning at picture ``offset``, over and over.

    ``mnist`` and ``fashion`` give their held-out pictures with labels; a folder gives its
    pictures in the order of their names, the label being the name of the folder they lie in;
    a file is one picture; ``webcam:0`` and ``rtsp://…`` need OpenCV.

    Raises:
        SourceError: there is nothing there, in one sentence.
    """
    if text.startswith(("webcam:", "rtsp://")):
        return Source(_video(text), None)
    path = Path(text)
    if text not in ("mnist", "fashion"):
        files = _files(path)
        damaged: set[Path] = set()
        return Source(_read(files, offset, damaged), len(files), damaged)
    try:
        test = load(text)
    except DatasetError as error:
        raise SourceError(str(error)) from None
    count = len(test.test)
    order = itertools.islice(itertools.cycle(range(count)), offset % count, None)
    pictures = (
        Picture(test.test.pixels[index], test.classes[test.test.labels[index]]) for index in order
    )
    return Source(pictures, len(test.test))


def _files(path: Path) -> list[Path]:
    shown = redacted(str(path))  # an address that was mistyped ends here, with its password
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise SourceError(f"{shown}: no such file or folder, nor a data set (mnist, fashion)")
        files = sorted(found for found in path.rglob("*") if found.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise SourceError(f"{shown}: {error.strerror}") from None
    if not files:
        raise SourceError(f"{shown}: no pictures in it")
    return files


def _read(files: list[Path], offset: int, damaged: set[Path]) -> Iterator[Picture]:
    """Yield the pictures over and over; what cannot be read is said once and noted in ``damaged``."""
    for path in itertools.islice(itertools.cycle(files), offset % len(files), None):
        if path in damaged:
            continue
        try:
            picture = Picture(read_picture(path), path.parent.name)
        except DatasetError as error:
            damaged.add(path)
            if len(damaged) == len(files):
                raise
            _log.warning("%s; skipped", error)
            continue
        yield picture


def _video(text: str) -> Iterator[Picture]:
    shown = redacted(text)  # the address of a camera has its password in it
    try:
        import cv2
    except ImportError:
        raise SourceError(f"{shown}: needs OpenCV; in your clone: pip install '.[video]'") from None
    where: Any = text
    if text.startswith("webcam:"):
        number = text.removeprefix("webcam:")
        if not number.isdigit():
            raise SourceError(f"{text}: a webcam has a number, as in webcam:0")
        where = int(number)
    capture = cv2.VideoCapture(where)
    if not capture.isOpened():
        raise SourceError(f"{shown}: does not open")
    return _grab(capture)


def _grab(capture: Any) -> Iterator[Picture]:
    while True:
        there, bgr = capture.read()
        if not there:
            return
        # OpenCV gives (H, W, blue-green-red); pictures are (red-green-blue, H, W).
        yield Picture(np.ascontiguousarray(bgr[:, :, ::-1].transpose(2, 0, 1)))
