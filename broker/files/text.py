"""Reading a file that a person wrote: whole, bounded, and without waiting for anybody to write it."""

import os
from pathlib import Path
from typing import BinaryIO, Final

MOST_BYTES: Final = 64 * 1024 * 1024


class FileError(Exception):
    """A file that is missing or wrong, in one sentence that names it and the field."""


def open_now(path: Path) -> BinaryIO:
    """Open a file for reading, without waiting for a writer if it is a pipe: then nothing is in it.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file (UTF-8, with or without a byte order mark).

    Raises:
        FileError: there is no such file, it is no text, or it has more than ``most_bytes`` bytes.
    """
    try:
        with open_now(path) as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # a name with a NUL in it
        raise FileError(f"{path}: {error}") from None
    if len(data) > most_bytes:
        raise FileError(f"{path}: more than {most_bytes:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: no text in UTF-8 (byte {error.start:,})") from None
