"""Why a message of a megabyte does not cost a thousand page faults.

glibc gives the top of its heap back to the kernel whenever more than 128 KB of it are free, and maps
and unmaps what is larger than that. A client and a broker allocate and free such buffers several
times a message, so each is faulted in and cleared again (docs/benchmarks/transport.md has what it
costs). It is a setting of the process, and the price is the memory it keeps.
"""

import contextlib
import ctypes
import functools
import os
import sys
from typing import Final

_KEPT_BYTES: Final = 16 * 1024 * 1024
_HEAP_BYTES: Final = 8 * 1024 * 1024  # the largest buffer that comes from the heap
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def keep_large_buffers() -> None:
    """Have this process keep up to 16 MB that are free; where the C library is not glibc do nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            _libc().mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
            _libc().mallopt(_M_MMAP_THRESHOLD, _HEAP_BYTES)


def give_back_free_memory() -> None:
    """Give what is free back to the kernel once; where the C library is not glibc do nothing.

    Worth it after something large went for good, such as a session of onnxruntime. By itself glibc gives
    back only the top of a heap, and what is free below it stays resident: a node that was placed anew
    a thousand times kept 17 MB more than with this, though nothing was in use but what is needed.
    It takes 0.4 ms; the next message of a megabyte takes as long again, once, and a run no longer.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            _libc().malloc_trim(0)


def environment_that_keeps_large_buffers() -> dict[str, str]:
    """Return our environment with the same settings, for a process that we start."""
    return {
        "MALLOC_TRIM_THRESHOLD_": str(_KEPT_BYTES),
        "MALLOC_MMAP_THRESHOLD_": str(_HEAP_BYTES),
        **os.environ,
    }


@functools.cache
def _libc() -> ctypes.CDLL:
    """Return the C library of this process; each handle would leave two classes to the garbage collector."""
    return ctypes.CDLL(None)
