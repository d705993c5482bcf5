"""The picture in a message or a response of a camera, whatever it is wrapped in; pure.

Told apart by the first bytes: a bare picture, base64, a data URI, or JSON with one of these in a
field. What is none is refused with a word for the counter.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Final, Literal

from pictures.kinds import HEAD_BYTES, kind_of

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a message; a photograph of 24 megapixels has less, also in base64."""

Refusal = Literal["empty", "too_large", "truncated", "chunked", "no_picture"]

_FIELDS: Final = ("image", "imagebase64")
"""Looked at before the others, in whatever case they are written."""
_CHUNKS: Final = re.compile(r"chunk|fragment|packet|^(part|parts|totalparts|seq|offset|segment)$")
"""What a message says of itself that carries one piece of a picture; every camera does it its own way."""
_DATA_URI: Final = re.compile(rb"data:[\w.+/-]*(?:;[\w.+=-]+)*;base64,", re.IGNORECASE)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_END_OF_PNG: Final = b"IEND\xae\x42\x60\x82"
_LEAST: Final = 16
"""No picture is shorter."""


class PayloadError(ValueError):
    """No whole picture: ``refusal`` is why, in a word."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        self.refusal: Refusal = refusal
        super().__init__(sentence)


def picture_in(payload: bytes) -> bytes:
    """Return the bytes of the picture file that ``payload`` is, or carries.

    Raises:
        PayloadError: it carries none, or a part of one; a sentence and a word for the counter.
    """
    if len(payload) > MOST_BYTES:
        raise PayloadError("too_large", f"{len(payload):,} bytes are too many for a picture")
    text = payload.strip()
    if not text:
        raise PayloadError("empty", "nothing in it")
    if is_picture(payload):
        return _whole(payload)
    found = _in_json(text) if text[:1] in (b"{", b"[", b'"') else _in_text(text)
    if found is None:
        raise PayloadError("no_picture", "neither a picture, nor base64 of one, nor JSON with one")
    return _whole(found)


def is_picture(data: bytes) -> bool:
    """Return whether ``data`` begins as a picture file does; two letters alone are not believed."""
    kind = kind_of(data[:HEAD_BYTES])
    return kind not in (None, "BMP", "PPM") or (kind == "BMP" and data[6:10] == b"\0\0\0\0")


def _whole(data: bytes) -> bytes:
    """Return a picture file, unless its end is missing."""
    if _is_cut(data):
        raise PayloadError("truncated", f"a picture that is cut off after {len(data):,} bytes")
    return data


def _is_cut(data: bytes) -> bool:
    if len(data) < _LEAST:
        return True
    if data.startswith(b"\xff\xd8"):
        return not jpeg_ends(data)
    if data.startswith(b"\x89PNG"):
        return _END_OF_PNG not in data
    if data[:4] == b"RIFF":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return data[:2] == b"BM" and int.from_bytes(data[2:6], "little") > len(data)


def jpeg_ends(data: bytes) -> bool:
    """Return whether a JPEG has its end: of the picture itself, not of the small one in its EXIF data."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        if marker == 0xD9:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # what follows is the picture, in which no marker but the end is FFD9
            return data.find(b"\xff\xd9", at) >= 0
    return False


def _in_text(text: bytes) -> bytes | None:
    """Return the picture in base64 or in a data URI; None: there is none."""
    uri = _DATA_URI.match(text)
    if uri is not None:
        text = text[uri.end() :]
    elif text[:5].lower() == b"data:":
        return None
    text = b"".join(text.split())
    if not _BASE64.fullmatch(text):
        return None
    text = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if len(text) % 4 == 1:
        text = text[:-1]  # cut off in the middle of a byte
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return data if is_picture(data) else None


def _in_json(text: bytes) -> bytes | None:
    """Return the picture in a field of JSON; None: there is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if text[:1] == b"{" and text[-1:] != b"}":
            raise PayloadError("truncated", "JSON that is cut off") from None
        return None
    if isinstance(value, str):
        return _in_text(value.encode("ascii", "replace"))
    if not isinstance(value, dict):
        return None
    names = [str(name).lower().replace("_", "").replace("-", "") for name in value]
    chunked = any(_CHUNKS.search(name) for name in names)
    for held in _texts(value):
        found = _in_text(held.encode("ascii", "replace"))
        if found is not None and not (chunked and _is_cut(found)):
            return found
    if chunked:
        raise PayloadError("chunked", "one piece of a picture; have the camera send whole ones")
    return None


def _texts(value: dict[str, Any]) -> Iterator[str]:
    """Yield the texts of an object, those by the usual names first, and then of the objects in it."""
    names = sorted(value, key=lambda name: name.lower() not in _FIELDS)
    for name in names:
        if isinstance(value[name], str):
            yield value[name]
    for name in names:
        inner = value[name]
        if isinstance(inner, dict):
            fields = sorted(inner, key=lambda each: each.lower() not in _FIELDS)
            yield from (inner[each] for each in fields if isinstance(inner[each], str))
