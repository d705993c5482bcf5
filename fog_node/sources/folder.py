"""The pictures of a folder, or one of a file."""

import itertools
import logging
from collections.abc import Mapping
from pathlib import Path

from broker.access.redaction import redacted
from fog_node.sources.finite import FiniteSource
from fog_node.sources.newest import Size
from fog_node.sources.source import Picture, SourceError, picture_name
from pictures.errors import DatasetError
from pictures.listing import Skipped, listing
from pictures.reading import read_picture

_log = logging.getLogger("fog-camera")


def open_files(path: Path, offset: int) -> "Files":
    """Return the pictures of ``path`` by name, beginning at picture ``offset``, over and over.

    Raises:
        SourceError: there is no such file or folder, or no picture in it.
    """
    files, skipped = _files(path)
    return Files(files, skipped, path if path.is_dir() else path.parent, offset)


class Files(FiniteSource):
    """Reads each file when it is wanted, as training does; what cannot be read is said once and skipped."""

    def __init__(
        self, files: tuple[Path, ...], skipped: tuple[Skipped, ...], root: Path, offset: int
    ) -> None:
        self._files, self._root = files, root
        self._order = itertools.islice(itertools.cycle(files), offset % len(files), None)
        self._damaged: set[Path] = set()
        self._skipped = len(skipped)
        super().__init__(iter(()), len(files))

    @property
    def counters(self) -> Mapping[str, int | float]:
        """How many files were ``skipped``, for they are no pictures or could not be read."""
        return {"skipped": self._skipped + len(self._damaged)}

    def skip(self, count: int) -> None:
        """Pass over files without reading them."""
        for _ in range(min(count, len(self._files))):
            self._path()

    def _next(self, at_least: Size) -> Picture | None:
        path = self._path()
        try:
            pixels = read_picture(path, at_least)
        except DatasetError as error:
            self._damaged.add(path)
            if len(self._damaged) == len(self._files):
                raise
            _log.warning("%s; skipped", error)
            return None
        return Picture(pixels, path.parent.name, picture_name(str(path.relative_to(self._root))))

    def _path(self) -> Path:
        """Return the next file that is not known to be damaged, or the next if all are."""
        for path in itertools.islice(self._order, len(self._files)):
            if path not in self._damaged:
                return path
        return next(self._order)


def _files(path: Path) -> tuple[tuple[Path, ...], tuple[Skipped, ...]]:
    """Return the pictures, and the files that are none; these are told of in one line."""
    where = redacted(str(path))  # an address that was mistyped ends here, with its password
    try:
        if not path.exists():
            raise SourceError(f"{where}: no such file or folder, nor a data set (mnist, fashion)")
        if not path.is_dir():
            return (path,), ()
        listed = listing(path)
    except OSError as error:
        raise SourceError(f"{where}: {error.strerror}") from None
    except (DatasetError, ValueError) as error:
        raise SourceError(redacted(str(error))) from None
    first = listed.skipped[0] if listed.skipped else None
    told = "" if first is None else f"{first.file}: {first.reason}"
    if not listed.paths:
        raise SourceError(f"{where}: no pictures in it" + (f" ({told})" if told else ""))
    if told:
        _log.warning("%s: %d files skipped (%s)", where, len(listed.skipped), told)
    return listed.paths, listed.skipped
