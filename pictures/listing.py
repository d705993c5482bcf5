"""Which files of a folder are pictures, by their first bytes; all others with a reason.

Hidden files and what systems leave behind (`.DS_Store`, `__MACOSX`, `Thumbs.db`) are passed over
without a word; they are counted.
"""

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pictures.errors import DatasetError
from pictures.kinds import HEAD_BYTES, is_raw, kind_of, no_file, no_picture

_LEFT_BEHIND: Final = frozenset(
    {
        "$recycle.bin", "#recycle", "@eadir", "__macosx", "desktop.ini", "ehthumbs.db", "lost+found",
        "system volume information", "thumbs.db",
    }
)  # fmt: skip
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not read: its name within the folder, and the reason in a few words."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The pictures of a folder in the order of their names, what was skipped, and how many were passed over."""

    paths: tuple[Path, ...]
    skipped: tuple[Skipped, ...]
    passed_over: int


def listing(folder: Path) -> Listing:
    """Return the pictures of a folder and of all folders in it.

    Raises DatasetError when the folder itself cannot be listed.
    """
    paths, skipped, passed_over = [], [], 0
    for found in walk(folder):
        match found:
            case Path():
                paths.append(found)
            case Skipped():
                skipped.append(found)
            case None:
                passed_over += 1
    return Listing(tuple(paths), tuple(skipped), passed_over)


def walk(folder: Path) -> Iterator[Path | Skipped | None]:
    """Yield what is in a folder and in all folders in it, in the order of names: None is passed over.

    A picture is known by its first bytes; it may still turn out to be damaged. Nothing but regular
    files is opened, and a link into a folder above is not followed. Raises DatasetError when the
    folder itself cannot be listed.
    """
    try:
        entries = _entries(folder)
        here = folder.resolve()
        ways = (here, *here.parents, *folder.absolute().parents)
        above = frozenset(_identity(each.stat()) for each in ways)
    except OSError as error:
        raise DatasetError(f"{folder}: {error.strerror}") from None
    for path in entries:
        yield from _walk(path, folder, above, 1)


def is_passed_over(name: str) -> bool:
    """Whether files and folders of this name are none of the user's."""
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


def shown(path: Path, folder: Path) -> str:
    """Return a file's name within a folder, as text that any file and terminal can bear."""
    name = path.relative_to(folder).as_posix()
    return os.fsencode(name).decode("utf-8", errors="replace")


def by_name(path: Path) -> str:
    """Return what files are ordered by: the name, however a system composes its letters."""
    return unicodedata.normalize("NFC", path.name)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=by_name)


def _identity(of: os.stat_result) -> tuple[int, int]:
    return of.st_dev, of.st_ino


def _walk(
    path: Path, folder: Path, above: frozenset[tuple[int, int]], depth: int
) -> Iterator[Path | Skipped | None]:
    if is_passed_over(path.name):
        yield None
        return
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            if _identity(status) in above or depth > _DEEPEST:
                yield Skipped(shown(path, folder), "a folder within itself")
                return
            inside = _entries(path)
        else:
            yield _told(path, status.st_mode, folder)
            return
    except OSError as error:
        yield Skipped(shown(path, folder), _reason(path, error))
        return
    for each in inside:
        yield from _walk(each, folder, above | {_identity(status)}, depth + 1)


def _reason(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return "a link to nothing"
    return error.strerror or str(error)


def _told(path: Path, mode: int, folder: Path) -> Path | Skipped:
    if not stat.S_ISREG(mode):
        return Skipped(shown(path, folder), no_file(mode))
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = kind_of(head)
    if kind is None or (kind == "TIFF" and is_raw(path.name)):
        return Skipped(shown(path, folder), no_picture(path.name, head))
    return path
