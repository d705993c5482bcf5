"""Pictures of a webcam or an RTSP stream, by OpenCV."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from broker.access.redaction import redacted
from fog_node.sources.source import Picture, Source, SourceError

SCHEMES: Final = ("webcam:", "rtsp://")


def open_video(text: str) -> Source:
    """Return what a camera shows.

    Raises:
        SourceError: there is none, or no OpenCV.
    """
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
    return Source(_grab(capture), None)


def _grab(capture: Any) -> Iterator[Picture]:
    while True:
        there, bgr = capture.read()
        if not there:
            return
        # OpenCV gives (H, W, blue-green-red); pictures are (red-green-blue, H, W).
        yield Picture(np.ascontiguousarray(bgr[:, :, ::-1].transpose(2, 0, 1)))
