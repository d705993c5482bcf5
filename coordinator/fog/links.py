"""Whose link to the broker is slow, though the broker is heard in the end: what a node's echo says; pure.

An echo waits behind the frames and tensors that queue for the node. The age of the answers does not
tell: time at the broker is not in it, and cameras send less where less comes back.
"""

from collections.abc import Mapping, Sequence
from statistics import median, median_low
from typing import Final

BEATS: Final = 4
LEAST_ECHO_S: Final = 0.15
LATER: Final = 3.0
"""An echo is late that takes this times as long as a whole answer should."""
STANDS_OUT: Final = 3.0
"""One link is slow when its echo takes this times as long as the others'; else all of them are."""


def slow_links(echoes: Mapping[str, Sequence[float]], predicted_s: float) -> dict[str, float]:
    """Return the nodes whose links are slow, and the seconds that their echoes take.

    ``echoes`` are those of the nodes' last beats, the latest last; ``predicted_s`` is how soon a frame
    should be answered, latencies included.
    """
    usual = {
        node: median_low(latest[-BEATS:]) for node, latest in echoes.items() if len(latest) >= BEATS
    }
    found: dict[str, float] = {}
    for node, echo_s in usual.items():
        others = [other for name, other in usual.items() if name != node]
        if (
            others
            and echoes[node][-1] >= LEAST_ECHO_S
            and echo_s >= max(LEAST_ECHO_S, LATER * predicted_s)
            and echo_s >= STANDS_OUT * median(others)
        ):
            found[node] = echo_s
    return found
