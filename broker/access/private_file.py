"""Files that hold a secret: read only where nobody else can."""

import os
import tempfile
from pathlib import Path
from typing import Final

from broker.files.text import open_now

_OTHERS: Final = 0o077
_MOST_BYTES: Final = 64 * 1024


class PrivateFileError(ValueError):
    """A file with a secret that cannot be used, in one sentence that names it and what to do."""


def read_private(path: Path, what: str) -> bytes:
    """Return the bytes of a file that holds ``what`` (such as "a password"), 64 KB at most.

    Raises:
        PrivateFileError: it is not there, too large, or others can read it.
    """
    try:
        with open_now(path) as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & _OTHERS:
                raise PrivateFileError(
                    f"{path} holds {what} and others can read it; run: chmod 600 {path}"
                )
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PrivateFileError(f"{path}: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise PrivateFileError(f"{path}: more than {_MOST_BYTES} bytes; it holds no {what[2:]}")
    return data


def write_private(path: Path, data: bytes) -> None:
    """Write a file to be read by its owner alone; one that is there is not overwritten.

    Raises:
        PrivateFileError: it is there already, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123 - made with its mode
            file.write(data)
    except OSError as error:
        raise PrivateFileError(f"{path}: {error.strerror}") from None


def replace_private(path: Path, data: bytes) -> None:
    """Put ``data`` into the place of a file, whole or not at all; it keeps its owner.

    Raises:
        PrivateFileError: it cannot be written.
    """
    try:
        _replace(path, data)
    except OSError as error:
        raise PrivateFileError(f"{path}: {error.strerror}") from None


def _replace(path: Path, data: bytes) -> None:
    was = path.stat()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
