"""The parts of a ``multipart/x-mixed-replace`` stream, which is how cameras send JPEGs; pure.

Cameras write the boundary in the header in one way and between the pictures in another, so it is
learnt from the first line that begins with two hyphens. A part ends where its ``Content-Length``
says, or where the next boundary begins; a JPEG of unknown length that has its end is not kept waiting
for that, for some cameras send the boundary with the next picture only.
"""

from typing import Final

from pictures.payload import MOST_BYTES, jpeg_ends

_MOST_HEAD: Final = 16 * 1024
_MOST_BOUNDARY: Final = 200


class MultipartError(ValueError):
    """No such stream, in one sentence."""


class Multipart:
    """Takes bytes as they come, gives back the bodies of the parts that are whole."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._boundary = b""
        self._length: int | None = None
        self._in_body = False
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came and return the parts that ended with it.

        Raises:
            MultipartError: it is no such stream, or a part of it is too large.
        """
        self._data += data
        parts: list[bytes] = []
        while True:
            if not self._in_body:
                if not self._head():
                    return parts
                continue
            body = self._body()
            if body is None:
                return parts
            if body:
                parts.append(body)

    def _head(self) -> bool:
        """Take the boundary and the header lines before a body; return whether they are all there."""
        if not self._boundary:
            self._learn_boundary()
        start = self._data.find(self._boundary) if self._boundary else -1
        end, width = self._end_of_head(start)
        if start < 0 or end < 0:
            if len(self._data) > _MOST_HEAD:
                raise MultipartError("no boundary between pictures where one should be")
            return False
        self._length = _content_length(bytes(self._data[start:end]))
        del self._data[: end + width]
        self._in_body, self._searched = True, 0
        return True

    def _learn_boundary(self) -> None:
        lines = bytes(self._data[:_MOST_HEAD]).split(b"\n")[:-1]  # the last may not be whole
        for line in lines:
            if line.startswith(b"--") and 2 < len(line.rstrip()) <= _MOST_BOUNDARY:
                self._boundary = line.rstrip()
                return

    def _end_of_head(self, start: int) -> tuple[int, int]:
        """Return where the empty line is that ends a header, and how long it is."""
        found = [
            (at, len(mark))
            for mark in (b"\r\n\r\n", b"\n\n")
            if (at := self._data.find(mark, max(0, start))) >= 0
        ]
        return min(found, default=(-1, 0))

    def _body(self) -> bytes | None:
        """Return the body of a part; None: it has not all come."""
        end = self._length
        if end is None:
            at = self._data.find(self._boundary, self._searched)
            self._searched = max(0, len(self._data) - len(self._boundary))
            end = at if at >= 0 else self._end_of_jpeg()
        if max(len(self._data) if end is None else 0, end or 0) > MOST_BYTES:
            raise MultipartError(f"a picture of more than {MOST_BYTES:,} bytes")
        if end is None or len(self._data) < end:
            return None
        body = bytes(self._data[:end])
        del self._data[:end]
        self._in_body = False
        return body if self._length is not None else body.removesuffix(b"\n").removesuffix(b"\r")

    def _end_of_jpeg(self) -> int | None:
        """Return the length of what has come if that is a whole JPEG."""
        tail = bytes(self._data[-4:]).rstrip(b"\r\n")
        if not (tail.endswith(b"\xff\xd9") and self._data.startswith(b"\xff\xd8")):
            return None
        return len(self._data) if jpeg_ends(bytes(self._data)) else None


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            digits = value.strip()
            return int(digits) if digits.isdigit() and len(digits) < 12 else None
    return None
