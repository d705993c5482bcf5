"""How a process ends with the one that started it, even if that one is killed (Linux)."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int | None = None) -> Callable[[], None]:
    """Return what a new process calls to be sent SIGTERM when its parent is gone.

    The parent is whoever calls this, unless a process id says otherwise: a new process that calls
    it by itself gets that id from its parent. What the kernel waits for is the end of the parent's
    thread that made the process. The kernel forgets it when the process changes its user. Elsewhere than on Linux it does nothing.
    """
    if sys.platform != "linux":
        return lambda: None
    libc, parent = ctypes.CDLL(None), parent or os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # When the parent is gone already nobody sends anything.
        if os.getpid() != parent and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return ask_kernel
