"""How much longer than expected a fog node's partitions take, by the seconds in its beats; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from broker.messages import Beat
from coordinator.fog.pulse import Pulse
from coordinator.fog.served import Served

SLOW: Final = 1.5
FAR_TOO_SLOW: Final = 3.0
BEATS: Final = 4
"""So many beats in a row say that a node is slow ..."""
FEWER_BEATS: Final = 3
"""... or so many, if it is far too slow."""
OVER: Final = 1.2
"""A node that takes less than this times what is expected is slow no more."""
LEAST_EXCESS_S: Final = 0.002
"""Less is not worth moving anything for."""
LOOK_BACK_S: Final = 10.0
USUAL_BEATS: Final = 6
"""So many beats in that time say what a partition usually takes."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the runs of a partition take on a fog node while it serves."""

    node: str
    deployment: str
    partition: str
    seconds: float


def ratio(node: str, beat: Beat, served: Mapping[str, Served]) -> float | None:
    """Return what a node's partitions take, all together, over what they should; None if none ran."""
    took = expected = 0.0
    for deployment, epoch in served.items():
        for partition, seconds in beat.seconds.get(deployment, {}).items():
            if epoch.placement.get(partition) == node and partition in epoch.expected_s:
                took += seconds
                expected += epoch.expected_s[partition]
    if not expected:
        return None
    return took / expected if took - expected >= LEAST_EXCESS_S else min(1.0, took / expected)


def ratios(node: str, pulse: Pulse, served: Mapping[str, Served], start: float) -> list[float]:
    """Return the ratios of the last beats from ``start`` on in which something ran, oldest first."""
    found: list[float] = []
    for heard in reversed(pulse.heard):
        if heard.at < start or len(found) == BEATS:
            break
        if (of_beat := ratio(node, heard.beat, served)) is not None:
            found.append(of_beat)
    return found[::-1]


def usual(node: str, pulse: Pulse, served: Mapping[str, Served], start: float) -> Iterator[Run]:
    """Yield what the runs of a node's partitions take, where beats enough say so from ``start`` on.

    What is that much longer than expected is slowness, and not what the partition takes.
    """
    for deployment, epoch in served.items():
        for partition, expected_s in epoch.expected_s.items():
            if epoch.placement.get(partition) != node:
                continue
            took = [
                seconds
                for heard in pulse.within(start)
                if (seconds := heard.beat.seconds.get(deployment, {}).get(partition)) is not None
            ]
            if len(took) < USUAL_BEATS:
                continue
            seconds = median(took)
            if seconds < SLOW * expected_s or seconds - expected_s < LEAST_EXCESS_S:
                yield Run(node, deployment, partition, seconds)


def slow_factor(latest: list[float]) -> float | None:
    """Return how many times slower than expected a node is by its latest ratios, None if it is not."""
    few = latest[-FEWER_BEATS:]
    if len(few) == FEWER_BEATS and min(few) >= FAR_TOO_SLOW:
        return median(few)
    if len(latest) >= BEATS and min(latest[-BEATS:]) >= SLOW:
        return median(latest[-BEATS:])
    return None


def recovered(latest: list[float]) -> bool:
    """Return whether a node takes what is expected again."""
    return len(latest) >= BEATS and max(latest[-BEATS:]) < OVER
