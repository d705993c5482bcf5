"""Pictures of a camera on the web: asked for one by one, or as a stream of JPEGs (MJPEG)."""

from collections import deque
from typing import Final

from fog_node.sources.decoding import decoder
from fog_node.sources.live import Feed
from fog_node.sources.multipart import Multipart, MultipartError
from fog_node.sources.newest import Shot
from fog_node.sources.source import SourceError
from fog_node.sources.time_name import time_name
from fog_node.sources.web_address import WebAddress
from fog_node.sources.web_request import Answer, Asking
from pictures.payload import MOST_BYTES, PayloadError, picture_in

_PIECE: Final = 64 * 1024
_IN_HAND_S: Final = 0.2
_STREAM: Final = "multipart/"


class Web:
    """Opens an address, whose answer tells what kind it is."""

    def __init__(self, address: WebAddress, feed: Feed, ca: str | None = None) -> None:
        self._asking, self._feed = Asking(address, ca), feed

    def open(self) -> "Snapshots | Mjpeg":
        """Return what reads the camera.

        Raises:
            SourceError: it does not answer, or with something else than pictures.
        """
        answer = self._asking.ask()
        if answer.kind.startswith(_STREAM):
            return Mjpeg(answer, self._feed)
        return Snapshots(self._asking, self._feed, _picture(answer, self._feed))


class Snapshots:
    """A camera that gives one picture an answer; it is asked when one is wanted."""

    polled = True

    def __init__(self, asking: Asking, feed: Feed, first: Shot | None) -> None:
        self._asking, self._feed, self._first = asking, feed, first

    def read(self) -> Shot | None:
        """Ask for a picture; the one that came with the opening will do if it just came.

        Raises:
            SourceError: the camera does not answer, or with something else.
        """
        first, self._first = self._first, None
        if first is not None and self._feed.clock() - first.at < _IN_HAND_S:
            return first
        return _picture(self._asking.ask(), self._feed)

    def close(self) -> None:
        """Do nothing: each answer was closed."""


class Mjpeg:
    """A camera that sends picture after picture; all are read, so that none queues up."""

    polled = False

    def __init__(self, answer: Answer, feed: Feed) -> None:
        self._answer, self._feed = answer, feed
        self._parts: deque[bytes] = deque()
        self._multipart = Multipart()

    def read(self) -> Shot | None:
        """Return the next picture.

        Raises:
            SourceError: the stream ended, or it is none.
        """
        while not self._parts:
            data = self._answer.read_some(_PIECE)
            if not data:
                raise SourceError("the stream ended")
            try:
                self._parts += self._multipart.feed(data)
            except MultipartError as error:
                raise SourceError(str(error)) from None
        return _shot(self._parts.popleft(), self._feed)

    def close(self) -> None:
        """End the stream."""
        self._answer.close()


def _picture(answer: Answer, feed: Feed) -> Shot | None:
    """Return the one picture of an answer; None: it was none this time.

    Raises:
        SourceError: it is no picture at all, or it does not come.
    """
    with answer:
        body = answer.read(MOST_BYTES + 1)
        if len(body) < min(answer.length or 0, MOST_BYTES):
            feed.count("truncated")
            return None
        return _shot(body, feed, answer.kind)


def _shot(body: bytes, feed: Feed, kind: str = "") -> Shot | None:
    """Return the picture in ``body``; None: it was none, which is counted.

    Raises:
        SourceError: it is no picture but of ``kind``, unless that is not told.
    """
    try:
        picture = picture_in(body)
    except PayloadError as error:
        feed.count(error.refusal)
        if error.refusal == "no_picture" and kind:
            raise SourceError(f"answers with {kind}, which is no picture") from None
        return None
    return Shot(feed.clock(), time_name(), decoder(picture, feed.name))
