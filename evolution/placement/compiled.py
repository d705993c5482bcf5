"""How the inner loops of placement are compiled: numba, kept on disk, the same bits everywhere.

No fast-math, so that every machine computes the same. `_nrt=False` leaves out reference counting,
which would cost more than the work itself: compiled functions get all their arrays from outside.
The first call after an installation compiles for some seconds; later processes load the code.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast
from zlib import crc32

import numba

F = TypeVar("F", bound=Callable[..., object])
SOURCES = (
    "arrays",  # what the functions work on
    "compiled",  # how they are compiled
    "critical",
    "energy",
    "exhaustive",
    "heap",
    "kernel",
    "loads",
    "refinement",
)
"""The modules whose text decides whether kept code is still right; a test looks for missing ones."""

_OPTIONS: Any = {"_nrt": False}  # typed as Any since numba's types do not know it
STAMP = tuple(crc32(Path(__file__).with_name(f"{name}.py").read_bytes()) for name in SOURCES)


def compiled(function: F) -> F:
    """Compile at the first call, or load what an earlier process compiled.

    Numba's cache looks at the date of the function's own file, but callees in other files are
    compiled into it; so the stamp is made of the text of all files that compiled code comes from.
    """
    dispatcher = numba.njit(cache=True, **_OPTIONS)(function)
    dispatcher._cache._cache_file._source_stamp = STAMP  # noqa: SLF001 - numba has no open way
    return cast("F", dispatcher)


def inlined(function: F) -> F:
    """Compile into each caller."""
    return cast("F", numba.njit(forceinline=True, **_OPTIONS)(function))
