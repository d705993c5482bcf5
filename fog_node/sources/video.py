"""Pictures of a webcam or an RTSP stream, by OpenCV."""

import os
from collections.abc import Callable
from typing import Any, Final

from broker.access.redaction import redacted
from fog_node.sources.frames import planes
from fog_node.sources.live import Feed
from fog_node.sources.newest import FRESH_S, Shot
from fog_node.sources.source import SourceError
from fog_node.sources.stream_clock import StreamClock
from fog_node.sources.time_name import time_name

SCHEMES: Final = ("webcam:", "rtsp://", "rtsps://")
_OPEN_MS, _READ_MS = 5000, 4000
_STANDSTILL_S: Final = 0.95 * _READ_MS / 1000
_BEHIND_S: Final = 3.0
"""A stream whose pictures have been late for so long does not catch up: it is opened again."""
_MOST_NUMBER: Final = 1000
_MOST_KEPT: Final = 300
"""Pictures that are passed over because they were kept while the stream was opened."""


def place_of(text: str) -> int | str:
    """Return what OpenCV is to open for ``webcam:N`` or ``rtsp://…``.

    Raises:
        SourceError: it names nothing.
    """
    if not text.startswith("webcam:"):
        return text
    number = text.removeprefix("webcam:")
    if not (number.isascii() and number.isdigit() and int(number[:9]) < _MOST_NUMBER):
        raise SourceError(f"{redacted(text)}: a webcam has a number, as in webcam:0")
    return int(number)


def video_opening(text: str, feed: Feed) -> Callable[[], "Video"]:
    """Return what opens the camera of ``text``, ``webcam:N`` or ``rtsp://…``.

    Raises:
        SourceError: it names none, or there is no OpenCV.
    """
    shown, where = redacted(text), place_of(text)  # an address has its password in it
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # it would repeat an address
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    try:
        import cv2
    except ImportError:
        raise SourceError(f"{shown}: needs OpenCV; in your clone: pip install '.[video]'") from None
    # A webcam's stamps are of many kinds; a stream's are the camera's own clock.
    clock = None if isinstance(where, int) else cv2.CAP_PROP_POS_MSEC
    return lambda: Video(_capture(cv2, where), feed, clock)


def _capture(cv2: Any, where: int | str) -> Any:
    """Return an open capture.

    Raises:
        SourceError: it does not open.
    """
    if isinstance(where, int):
        capture = cv2.VideoCapture(where)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    else:
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            _OPEN_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            _READ_MS,
        ]
        capture = cv2.VideoCapture(where, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        capture.release()
        raise SourceError("does not open")
    return capture


class Video:
    """A capture that is open; every picture is read as soon as it comes, so that none queues up.

    ``position`` is the property with the stamp of the latest picture, in milliseconds, if it has one.
    """

    polled = False

    def __init__(self, capture: Any, feed: Feed, position: int | None = None) -> None:
        self._capture, self._feed, self._position = capture, feed, position
        self._clock = StreamClock()
        self._late_since: float | None = None

    def read(self) -> Shot | None:
        """Return the next picture; None: the camera gave none, though it said so, or an odd one.

        Raises:
            SourceError: the stream ended, or is so far behind that it is to be opened anew.
        """
        age: float | None = None
        for _ in range(_MOST_KEPT):
            frame = self._grab()
            if frame is None:
                self._feed.count("empty")
                return None
            now = self._feed.clock()
            age = self._age(now)
            if age is not None:
                break
        at = now - (age or 0.0)
        return Shot(at, time_name(now - at), lambda _at_least: planes(frame))

    def _grab(self) -> Any:
        """Return a frame, whatever that is.

        Raises:
            SourceError: the stream ended, or came to a standstill: after its time OpenCV gives what it had left.
        """
        began = self._feed.clock()
        try:
            there, frame = self._capture.read()
        except Exception as error:  # noqa: BLE001  OpenCV's own, which is imported only when used
            raise SourceError(f"failed ({' '.join(str(error).split())[:200]})") from None
        seconds = self._feed.clock() - began
        if seconds >= _STANDSTILL_S:
            raise SourceError(f"gave no picture for {seconds:.0f} s")
        if not there:
            raise SourceError("the stream ended")
        return frame

    def _age(self, now: float) -> float | None:
        """Return how old a picture is that came ``now``; None: that is not known yet."""
        if self._position is None:
            return 0.0
        age = self._clock.age(float(self._capture.get(self._position)) / 1000.0, now)
        if age is None or age <= FRESH_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since > _BEHIND_S:
            raise SourceError(f"its pictures come {age:.1f} s late")
        return age

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()
