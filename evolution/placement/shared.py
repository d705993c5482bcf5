"""What 95 % of the frames keep to when several cameras send them, and others use the same processors.

Nobody knows how the frames of different cameras fall together, and it changes with their clocks: each
camera sends evenly, a little faster or slower than the next, so that all that can happen does happen.
What neighbours compute comes as runs at the times of their frames, for a run is not interrupted; what
they send is not simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evolution.placement.arrays import Floats
from evolution.placement.cost_model import CostModel
from evolution.placement.stream import FRAMES, OtherRun, Stream

_FRAMES_MOST: Final = 200
_FRAMES_LEAST: Final = 20
_RUNS_MOST: Final = 20_000
"""So many runs, ours and the neighbours', are simulated in a few tens of milliseconds."""
_SPREAD_MOST: Final = 0.1
_DRIFT_PERIODS: Final = 3.0
_GOLDEN: Final = (5**0.5 - 1) / 2
_SILVER: Final = 2**0.5 - 1


@dataclass(frozen=True, slots=True)
class Cameras:
    """The cameras of a deployment, and the frames per second of all together.

    Raises:
        ValueError: there is none, or no rate.
    """

    frames_per_s: float
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.frames_per_s < float("inf"):
            raise ValueError(f"rate: {self.frames_per_s} is not a number of frames per second.")
        if self.count < 1:
            raise ValueError("cameras: there is at least one.")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another deployment on the same devices: its cameras, and what a frame computes: (device id, seconds)."""

    cameras: Cameras
    runs: tuple[tuple[str, float], ...]


def shared_p95_s(
    model: CostModel,
    device: Sequence[int],
    priority: Sequence[float],
    own: Cameras,
    neighbours: Sequence[Neighbour] = (),
) -> float:
    """Return the response time in seconds that 95 % of our frames keep to.

    One camera without neighbours is a :class:`Stream` of evenly spaced frames.
    """
    number = {name: d for d, name in enumerate(model.device_ids)}
    runs = [[(number[n], s) for n, s in each.runs if n in number] for each in neighbours]
    theirs_per_s = sum(
        each.cameras.frames_per_s * len(of) for each, of in zip(neighbours, runs, strict=True)
    )
    frames = min(_FRAMES_MOST, max(FRAMES, _RUNS_MOST // len(device)))
    seconds = frames / own.frames_per_s
    if theirs_per_s * seconds > _RUNS_MOST:
        seconds = max(_RUNS_MOST / theirs_per_s, _FRAMES_LEAST / own.frames_per_s)
    arrivals = _arrivals(own, 0, seconds)
    first, others = own.count, list[OtherRun]()
    for each, of in zip(neighbours, runs, strict=True):
        times = _arrivals(each.cameras, first, seconds)[: _RUNS_MOST * 10]
        first += each.cameras.count
        others += [OtherRun(d, float(at), s) for at in times for d, s in of]
    return Stream(model, arrivals, others).p95_s(device, priority)


def _arrivals(cameras: Cameras, first: int, seconds: float) -> Floats:
    """Return when frames come, sorted; ``first`` is the number of the first camera among all."""
    rate = cameras.frames_per_s / cameras.count
    spread = min(_SPREAD_MOST, _DRIFT_PERIODS / max(rate * seconds, 1.0))
    if cameras.count == 1 and first == 0:
        return np.arange(max(1, round(rate * seconds))) / rate
    times = []
    for number in range(first, first + cameras.count):
        own_rate = rate * (1 + spread * (number * _GOLDEN % 1 - 0.5))
        phase = number * _SILVER % 1
        times.append((np.arange(max(1, round(own_rate * seconds))) + phase) / own_rate)
    return np.sort(np.concatenate(times))
