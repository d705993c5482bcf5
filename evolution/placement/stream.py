"""Frames one after another on the same cost model, so that they queue behind each other.

A stream of N frames is one problem of N times the partitions, each frame's released when the frame
comes; runs of something else on the same processors are partitions without tensors. Of those ready a
device takes the oldest frame's, within a frame the highest priority, then the earlier in the file: a
newer frame never overtakes, so under overload the oldest is answered first instead of all frames
growing old together. Links take tensors as in one frame, first come first served.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evolution.placement.arrays import Arrays, Floats, Ints, arrays_of, bench_for
from evolution.placement.cost_model import CostModel
from evolution.placement.kernel import response

FRAMES = 50  # enough for the queues of evenly spaced frames to settle, or to be seen growing


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A run that takes a device's processor for some seconds, from `at_s` on when it is its turn."""

    device: int
    at_s: float
    seconds: float


def evenly(frames_per_s: float, frames: int = FRAMES) -> Floats:
    """Return when evenly spaced frames come, (N,).

    Raises:
        ValueError: the rate is none, or there are no frames.
    """
    if not 0 < frames_per_s < math.inf:
        raise ValueError(f"rate: {frames_per_s} is not a number of frames per second.")
    if frames < 1:
        raise ValueError("frames: a stream has at least one.")
    return np.arange(frames) / frames_per_s


class Stream:
    """Frames that come at the seconds `arrivals`, (N,) in order, through a fog that is idle at first."""

    def __init__(self, model: CostModel, arrivals: Floats, others: Sequence[OtherRun] = ()) -> None:
        self.frames, self._others = len(arrivals), others
        self._arrivals = arrivals
        alone = _repeated(arrays_of(model), arrivals)
        self._arrays = _beside(alone, others) if others else alone
        self._bench = bench_for(self._arrays)

    def response_times(self, device: Sequence[int], priority: Sequence[float]) -> Floats:
        """Return the seconds from each frame's coming to the end of its last partition, (N,)."""
        a, b, own = self._arrays, self._bench, self.frames * len(device)
        at = np.array([*device] * self.frames + [run.device for run in self._others], np.int64)
        response(a, b, at, self._oldest_first(priority), math.inf)
        ends = b.started[:own] + a.seconds[np.arange(own), at[:own]]  # (N * P,)
        since = (ends - a.release[:own]).reshape(self.frames, -1)  # (N, P)
        return np.asarray(since.max(axis=1))

    def p95_s(self, device: Sequence[int], priority: Sequence[float]) -> float:
        """Return the response time that 95 % of the frames keep to (the next one in rank)."""
        times = np.sort(self.response_times(device, priority))
        return float(times[math.ceil(0.95 * self.frames) - 1])

    def _oldest_first(self, priority: Sequence[float]) -> Floats:
        """Return the priorities of all runs, (N * P + others,): whatever came earlier goes first."""
        # (P,), equals alike
        _, place = np.unique(np.array(priority, np.float64), return_inverse=True)
        came = np.array([*self._arrivals, *(run.at_s for run in self._others)])
        age = np.empty(len(came))
        # Of equals the earlier in the file goes first: it counts as the older one.
        age[np.argsort(came, kind="stable")[::-1]] = np.arange(len(came)) * len(place)
        own = age[: self.frames, None] + place[None, :]  # (N, P)
        return np.concatenate([own.ravel(), age[self.frames :]])


def _beside(a: Arrays, others: Sequence[OtherRun]) -> Arrays:
    """Return the problem with runs of something else behind the partitions, without tensors."""
    partitions, devices = a.seconds.shape
    count = len(others)
    seconds = np.full((count, devices), math.inf)
    at = np.array([run.device for run in others], np.int64)
    seconds[np.arange(count), at] = [run.seconds for run in others]

    def more(first: Ints, step: int = 0) -> Ints:
        return np.concatenate([first, first[-1] + step * np.arange(1, count + 1)])

    return a._replace(
        seconds=np.concatenate([a.seconds, seconds]),
        first_output=more(a.first_output),
        first_near=more(a.first_near),
        first_choice=more(a.first_choice, 1),
        choice=np.concatenate([a.choice, at]),
        needed=np.concatenate([a.needed, np.zeros(count, np.int64)]),
        order=np.concatenate([a.order, partitions + np.arange(count)]),
        release=np.concatenate([a.release, [run.at_s for run in others]]),
        first_input=more(a.first_input),
        macs=np.concatenate([a.macs, np.zeros(count)]),
    )


def _repeated(a: Arrays, arrivals: Floats) -> Arrays:
    """Return the problem of many frames; devices, links and memory are those of one."""
    frames, partitions = len(arrivals), len(a.memory)
    tensors, edges = len(a.size), len(a.consumer)

    def shifted(values: Ints, step: int) -> Ints:
        return (values[None, :] + step * np.arange(frames)[:, None]).ravel()

    def starts(first: Ints) -> Ints:
        return np.append(shifted(first[:-1], int(first[-1])), frames * first[-1])

    return Arrays(
        seconds=np.tile(a.seconds, (frames, 1)),
        memory=a.memory,  # no frame needs its own, and following frames does not look at it
        capacity=a.capacity,
        latency=a.latency,
        uplink=a.uplink,
        downlink=a.downlink,
        size=np.tile(a.size, frames),
        producer=shifted(a.producer, partitions),
        first_consumer=starts(a.first_consumer),
        consumer=shifted(a.consumer, partitions),
        edge_tensor=shifted(a.edge_tensor, tensors) if edges else a.edge_tensor,
        first_output=starts(a.first_output),
        output=shifted(a.output, tensors),
        first_near=starts(a.first_near),
        near=shifted(a.near, partitions),
        first_choice=starts(a.first_choice),
        choice=np.tile(a.choice, frames),
        needed=np.tile(a.needed, frames),
        order=shifted(a.order, partitions),
        free=shifted(a.free, partitions),
        release=np.repeat(arrivals, partitions),
        first_input=starts(a.first_input),
        input=shifted(a.input, tensors) if edges else a.input,
        macs=np.tile(a.macs, frames),
        per_mac=a.per_mac,
        per_byte=a.per_byte,
    )
