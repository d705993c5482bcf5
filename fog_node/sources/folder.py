"""The pictures of a folder, or one of a file."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker.access.redaction import redacted
from fog_node.sources.finite import FiniteSource
from fog_node.sources.source import Picture, SourceError, picture_name
from pictures.errors import DatasetError
from pictures.reading import read_picture

_log = logging.getLogger("fog-camera")
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})


def open_files(path: Path, offset: int) -> FiniteSource:
    """Return the pictures of ``path`` by name, beginning at picture ``offset``, over and over.

    Raises:
        SourceError: there is no such file or folder, or no picture in it.
    """
    files = _files(path)
    damaged: set[Path] = set()
    root = path if path.is_dir() else path.parent
    return FiniteSource(_read(files, root, offset, damaged), len(files), damaged)


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


def _read(files: list[Path], root: Path, offset: int, damaged: set[Path]) -> Iterator[Picture]:
    """Yield the pictures over and over; what cannot be read is said once and noted in ``damaged``."""
    for path in itertools.islice(itertools.cycle(files), offset % len(files), None):
        if path in damaged:
            continue
        try:
            name = picture_name(str(path.relative_to(root)))
            picture = Picture(read_picture(path), path.parent.name, name)
        except DatasetError as error:
            damaged.add(path)
            if len(damaged) == len(files):
                raise
            _log.warning("%s; skipped", error)
            continue
        yield picture
