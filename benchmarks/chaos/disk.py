"""A small disk of a part's own, which can be filled: a tmpfs (Linux, root)."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_BALLAST: Final = ".ballast"


def why_no_disk() -> str | None:
    """Return in one sentence why no small disk can be had here, None if one can."""
    if os.geteuid() != 0:
        return "mounting a small disk needs root"
    try:
        with TemporaryDirectory() as folder, small_disk(Path(folder) / "try", 65536):
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no small disk can be mounted here: {error}"


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Mount a disk of ``size`` bytes at ``folder`` for as long as the context lasts."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "fogweave-chaos", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def fill(folder: Path) -> None:
    """Write until there is no room left, to the last byte."""
    with (folder / _BALLAST).open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def make_room(folder: Path) -> None:
    """Take back what :func:`fill` wrote."""
    (folder / _BALLAST).unlink(missing_ok=True)
