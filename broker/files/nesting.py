"""How deep and how large a value from a file may be, whoever parsed it."""

from itertools import islice
from typing import Any, Final

MOST_DEPTH: Final = 64
MOST_CONTAINERS: Final = 1_000_000
TOO_DEEP: Final = f"lists and objects are nested more than {MOST_DEPTH} deep"


def check_nesting(value: Any) -> None:
    """Refuse what would exhaust whoever walks through it; what is there by reference counts each time.

    Raises:
        ValueError: it is nested too deep, or has too many lists and objects.
    """
    level, seen = [value], 0
    for _ in range(MOST_DEPTH):
        inner = (
            each
            for outer in level
            if isinstance(outer, dict | list)
            for each in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(each, dict | list)
        )
        level = list(islice(inner, MOST_CONTAINERS - seen + 1))
        seen += len(level)
        if not level:
            return
        if seen > MOST_CONTAINERS:
            raise ValueError(f"more than {MOST_CONTAINERS:,} lists and objects")
    raise ValueError(TOO_DEEP)
