"""Files that their owner alone may read: made so, never made so later."""

import fcntl
import os
import tempfile
import time
from pathlib import Path
from typing import Final

_STEP_S: Final = 0.05


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet.

    Raises:
        OSError: it is there, or cannot be written.
    """
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - made with its mode
        file.write(data)


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` into the place of a file, whole or not at all; it keeps its owner.

    Raises:
        OSError: it cannot be written.
    """
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


class Lock:
    """A file that one process at a time holds; the kernel gives it back, however that process ends.

    A child that inherits the descriptor holds it as well.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, path: Path, wait_s: float = 0.0) -> "Lock | None":
        """Return the lock, or None if another process holds it for longer than ``wait_s``.

        Raises:
            OSError: the file cannot be opened.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(descriptor)
                    return None
                time.sleep(_STEP_S)
            else:
                return cls(descriptor)

    def note(self, text: str) -> None:
        """Write down who holds it, for those who find it held."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def free(self) -> None:
        """Give it back."""
        os.close(self.descriptor)
