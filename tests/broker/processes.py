"""Processes under test: what they say, how they end, and that none is left behind by a failure."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

HANGS_S = 20.0
Process = subprocess.Popen[str]


@contextmanager
def started(*command: str, group: bool = False) -> Iterator[Process]:
    """Start a process, or with ``-c CODE`` and the like a Python; ``group``: as a terminal does."""
    words = [sys.executable, *command] if command[0].startswith("-") else command
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=group,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: Process) -> str:
    """Return the next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def ended(process: Process) -> tuple[int, str, str]:
    """Return the exit code of a process, and what it said until its end."""
    out, err = process.communicate(timeout=HANGS_S)
    return process.returncode, out, err


def gone(processes: list[psutil.Process]) -> bool:
    """Return whether processes end; nobody reaps those that lost their parent in a container."""
    _, left = psutil.wait_procs(processes, timeout=HANGS_S / 2)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in left)
