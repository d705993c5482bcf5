"""For how long a fog node is left out that failed: twice as long with every time in a row; pure."""

from typing import Final

FIRST_S: Final = 20.0
MOST_S: Final = 600.0


def penalty_s(times: int) -> float:
    """Return the seconds for the ``times``-th time, which is at least 1."""
    return min(MOST_S, FIRST_S * 2.0 ** min(times - 1, 10))
