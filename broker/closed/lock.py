"""A file that one process at a time holds."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final, Self

_STEP_S: Final = 0.05


class Lock:
    """Held by one process at a time; the kernel gives it back, however that process ends.

    A child that inherits the descriptor holds it as well.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, path: Path, wait_s: float = 0.0) -> Self | None:
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
