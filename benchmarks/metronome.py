"""Keeps quotas of the processor exact: something of real-time priority wakes every 250 us on each core.

A kernel looks at quotas at its ticks, every 4 ms at 250 Hz, so a process with a quarter of a core
computes for 4 ms in a row before it is stopped, and a run shorter than that is not slowed down at all.
With somebody to wake, the scheduler looks much more often. Needs the right to real-time priority.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_EVERY_S: Final = 250e-6
_PRIORITY: Final = 50


@contextmanager
def metronomes() -> Iterator[None]:
    """Run one on each core.

    Raises:
        PermissionError: this user may not have real-time priority.
    """
    cores = sorted(os.sched_getaffinity(0))
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))  # whether we may
    os.sched_setscheduler(0, *before)
    command = [sys.executable, "-m", "benchmarks.metronome", str(os.getpid())]
    processes = [subprocess.Popen([*command, str(core)]) for core in cores]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _tick(parent: int, core: int) -> None:
    """Wake up and do nothing for as long as the parent lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    while os.getppid() == parent:
        time.sleep(_EVERY_S)


if __name__ == "__main__":
    _tick(int(sys.argv[1]), int(sys.argv[2]))
