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
"""So many runs of each neighbour are simulated at most."""
_SPREAD_MOST: Final = 0.1
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
    used = set(device)  # what others compute elsewhere is in nobody's way
    runs = [[(number[n], s) for n, s in each.runs if number.get(n) in used] for each in neighbours]
    theirs_per_s = sum(
        each.cameras.frames_per_s * len(of) for each, of in zip(neighbours, runs, strict=True)
    )
    frames = min(_FRAMES_MOST, max(FRAMES, _RUNS_MOST // len(device)))
    seconds = frames / own.frames_per_s
    if theirs_per_s * seconds > _RUNS_MOST:
        seconds = max(_RUNS_MOST / theirs_per_s, _FRAMES_LEAST / own.frames_per_s)
    seconds = max(seconds, own.count / own.frames_per_s)
    arrivals = _arrivals(own, 0, seconds)
    first, others = own.count, list[OtherRun]()
    for each, of in zip(neighbours, runs, strict=True):
        times = _arrivals(each.cameras, first, seconds)[: _RUNS_MOST // max(len(of), 1)]
        first += each.cameras.count
        others += [OtherRun(d, float(at), s) for at in times for d, s in of]
    return Stream(model, arrivals, others).p95_s(device, priority)


def _arrivals(cameras: Cameras, first: int, seconds: float) -> Floats:
    """Return when frames come, sorted; ``first`` is the number of the first camera among all.

    Of cameras of one rate each sends so much faster or slower than the next that in ``seconds`` it
    falls behind by a whole number of frames: they meet at every distance, equally often.
    """
    rate = cameras.frames_per_s / cameras.count
    frames = max(1, round(rate * seconds))
    most = int(_SPREAD_MOST * frames)
    times = []
    for number in range(first, first + cameras.count):
        steps = (number + 1) // 2 % (most + 1)  # 0, 1, 1, 2, 2, ...
        own = frames + (steps if number % 2 else -steps)
        times.append((np.arange(own) + number * _SILVER % 1) * (seconds / own))
    return np.sort(np.concatenate(times))
