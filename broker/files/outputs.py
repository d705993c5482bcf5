"""Whether an output can be written, looked at before anything long is begun."""

import errno
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

from broker.files.text import FileError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def check_output_file(option: str, path: Path, suffixes: Collection[str] = ()) -> None:
    """Refuse a file that could not be written in the end; ``suffixes`` are those that say how.

    Raises:
        FileError: it could not; the sentence names the option.
    """
    shown = f"{option} {path}"
    if suffixes and path.suffix.lower() not in suffixes:
        kinds = ", ".join(suffixes)
        raise FileError(f"{shown}: its name has to end in one of {kinds}")
    try:
        if path.is_dir():
            raise FileError(f"{shown}: is a folder; name a file")
        if not path.exists():
            _try(path.parent)
        elif not os.access(path, os.W_OK):
            raise FileError(f"{shown}: may not be written")
    except OSError as error:
        raise FileError(f"{shown}: {error.strerror}") from None


def check_output_folder(option: str, path: Path, ours: Collection[str] | None = None) -> None:
    """Refuse a folder that could not be made, or written to; one that is missing is not made yet.

    ``ours``: names of what may lie in it, beside hidden files; with anything else in it, it is somebody's.

    Raises:
        FileError: it could not; the sentence names the option.
    """
    shown = f"{option} {path}"
    try:
        there = path
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise FileError(f"{shown}: {'' if there == path else f'{there} '}is a file")
        if there == path and ours is not None:
            for name in sorted(each.name for each in path.iterdir()):
                if name not in ours and not name.startswith(".") and name != "lost+found":
                    raise FileError(
                        f"{shown}: is not empty (there is {name} in it); name a folder of its own"
                    )
        _try(there)
    except OSError as error:
        raise FileError(f"{shown}: {error.strerror}") from None


def make_state_folder(option: str, path: Path) -> None:
    """Make a folder in which a part keeps its state, and see that it can; a full disk may have room later.

    Raises:
        FileError: it cannot; the sentence names the option.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try(path)
    except OSError as error:
        if error.errno not in _FULL:
            raise FileError(f"{option} {path}: {error.strerror}") from None


def _try(folder: Path) -> None:
    """Write to a folder, and leave nothing: rights alone do not say that a file system takes it."""
    with tempfile.TemporaryFile(dir=folder):
        pass
