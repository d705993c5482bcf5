"""Whose link to the broker is slow, though the broker is heard in the end: what a node's echo says; pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

LATER: Final = 2.0
LEAST_LATER_S: Final = 0.05
"""Answers that take less than this times the prediction, and less than so much longer, are in time."""
BEATS: Final = 4
LEAST_ECHO_S: Final = 0.1
EXPLAINS: Final = 0.25
"""An echo of this share of the delay explains it: it waits behind the frames only now and then."""
STANDS_OUT: Final = 3.0
"""One link is slow when its echo takes this times as long as the others'; else all of them are."""


def slow_links(
    echoes: Mapping[str, Sequence[float]], response_s: float, predicted_s: float
) -> dict[str, float]:
    """Return the nodes whose links make the answers late, and the seconds that their echoes take.

    ``echoes`` are those of the nodes' last beats, the latest last. A prediction of 0 is none.
    """
    late_s = response_s - predicted_s
    if not predicted_s or response_s < LATER * predicted_s + LEAST_LATER_S:
        return {}
    usual = {
        node: median(latest[-BEATS:]) for node, latest in echoes.items() if len(latest) >= BEATS
    }
    found: dict[str, float] = {}
    for node, echo_s in usual.items():
        others = [other for name, other in usual.items() if name != node]
        if (
            others
            and echo_s >= max(LEAST_ECHO_S, EXPLAINS * late_s)
            and echo_s >= STANDS_OUT * median(others)
        ):
            found[node] = echo_s
    return found
