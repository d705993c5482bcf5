"""What a file is by its first bytes, whatever its name says."""

import stat
from pathlib import PurePath
from typing import Final

HEAD_BYTES: Final = 64
"""So many first bytes are enough to tell."""

_MAGIC: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  ", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
)
_BRANDS: Final = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"
)
_RAW: Final = "a raw file of a camera; export it as JPEG"
_VIDEO: Final = "a video; take single pictures out of it"
_OTHERS: Final = (
    (b"%PDF", "a PDF document; export its pages as pictures"),
    (b"PK\x03\x04", "an archive; unpack it"),
    (b"\x1f\x8b", "an archive; unpack it"),
    (b"7z\xbc\xaf", "an archive; unpack it"),
    (b"Rar!", "an archive; unpack it"),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"<svg", "a drawing (SVG); export it as PNG"),
)
_RAW_SUFFIXES: Final = frozenset(
    {".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw"}
)


def kind_of(head: bytes) -> str | None:
    """Return what Pillow calls the kind of picture that begins with these bytes, None for none.

    Being of a kind does not make it whole.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2] in b"1234567fFy" and head[2:3] in b" \t\r\n":
        return "PPM"
    return _by_brand(head)


def _by_brand(head: bytes) -> str | None:
    """Tell the pictures in an ISO box apart: the major brand, or a compatible one where that is none of a picture."""
    if head[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(head[:4], "big"), len(head))
    compatible = [head[at : at + 4] for at in range(16, length - 3, 4)]
    major = _BRANDS.get(head[8:12])
    if head[8:12] in (b"mif1", b"msf1"):  # says "a picture", the compatible ones say which
        return next((_BRANDS[brand] for brand in compatible if brand in (b"avif", b"avis")), major)
    return major


def is_raw(name: str) -> bool:
    """Whether a file is a camera's raw file by its name: many are TIFFs with a thumbnail in it."""
    return PurePath(name).suffix.lower() in _RAW_SUFFIXES


def no_picture(name: str, head: bytes) -> str:
    """Return in a few words what a file is that is no picture."""
    if not head:
        return "empty, 0 bytes"
    if is_raw(name) or head[4:11] == b"ftypcrx":
        return _RAW
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:11] == b"AVI"):
        return _VIDEO
    for magic, words in _OTHERS:
        if head.startswith(magic):
            return words
    return "not a picture but text" if _is_text(head) else "not a picture"


def no_file(mode: int) -> str:
    """Return in a few words what is at a path that is no regular file; ``mode`` as `os.stat` gives it."""
    for is_kind, words in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if is_kind(mode):
            return f"{words}, not a file"
    return "a device, not a file"


def _is_text(head: bytes) -> bool:
    words = head.decode("utf-8", errors="ignore")  # the last character may be cut in two
    return len(words.encode()) > len(head) - 4 and all(
        each.isprintable() or each in "\t\r\n\f\ufeff" for each in words
    )
