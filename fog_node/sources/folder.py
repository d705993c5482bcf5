"""The pictures of a folder, or one of a file."""

import itertools
import logging
from pathlib import Path
from typing import Final

from broker.access.redaction import redacted
from fog_node.sources.finite import FiniteSource
from fog_node.sources.newest import Size
from fog_node.sources.source import Picture, SourceError, picture_name
from pictures.errors import DatasetError
from pictures.reading import read_picture

_log = logging.getLogger("fog-camera")
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})


def open_files(path: Path, offset: int) -> "Files":
    """Return the pictures of ``path`` by name, beginning at picture ``offset``, over and over.

    Raises:
        SourceError: there is no such file or folder, or no picture in it.
    """
    return Files(_files(path), path if path.is_dir() else path.parent, offset)


class Files(FiniteSource):
    """Reads each file when it is wanted, as training does; what cannot be read is said once and skipped."""

    def __init__(self, files: list[Path], root: Path, offset: int) -> None:
        self._files, self._root = files, root
        self._order = itertools.islice(itertools.cycle(files), offset % len(files), None)
        self._damaged: set[Path] = set()
        super().__init__(iter(()), len(files), self._damaged)

    def skip(self, count: int) -> None:
        """Pass over files without reading them."""
        for _ in range(min(count, len(self._files))):
            self._path()

    def _next(self, at_least: Size) -> Picture:
        while True:
            path = self._path()
            try:
                pixels = read_picture(path, at_least)
            except DatasetError as error:
                self._damaged.add(path)
                if len(self._damaged) == len(self._files):
                    raise
                _log.warning("%s; skipped", error)
                continue
            return Picture(
                pixels, path.parent.name, picture_name(str(path.relative_to(self._root)))
            )

    def _path(self) -> Path:
        """Return the next file that is not known to be damaged, or the next if all are."""
        for path in itertools.islice(self._order, len(self._files)):
            if path not in self._damaged:
                return path
        return next(self._order)


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
