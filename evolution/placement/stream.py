"""Frames one after another on the same cost model, so that they queue behind each other.

A stream of N frames is one problem of N times the partitions, each frame's released when the frame
comes. Of those ready a device takes the oldest frame's, within a frame the highest priority, then
the earlier in the file: a newer frame never overtakes, so under overload the oldest is answered
first instead of all frames growing old together. Links take tensors as in one frame, first come
first served.
"""

import math
from collections.abc import Sequence

import numpy as np

from evolution.placement.arrays import Arrays, Floats, Ints, arrays_of, bench_for
from evolution.placement.cost_model import CostModel
from evolution.placement.kernel import response

FRAMES = 50  # enough for the queues of evenly spaced frames to settle, or to be seen growing


class Stream:
    """Evenly spaced frames through a fog that is idle at the first one."""

    def __init__(self, model: CostModel, frames_per_s: float, frames: int = FRAMES) -> None:
        if not 0 < frames_per_s < math.inf:
            raise ValueError(f"rate: {frames_per_s} is not a number of frames per second.")
        if frames < 1:
            raise ValueError("frames: a stream has at least one.")
        self.frames = frames
        self._arrays = _repeated(arrays_of(model), frames, 1 / frames_per_s)
        self._bench = bench_for(self._arrays)

    def response_times(self, device: Sequence[int], priority: Sequence[float]) -> Floats:
        """Return the seconds from each frame's coming to the end of its last partition, (N,)."""
        a, b = self._arrays, self._bench
        at = np.tile(np.array(device, np.int64), self.frames)
        response(a, b, at, _oldest_first(priority, self.frames), math.inf)
        ends = b.started + a.seconds[np.arange(len(at)), at]  # (N * P,)
        since = (ends - a.release).reshape(self.frames, -1)  # (N, P)
        return np.asarray(since.max(axis=1))

    def p95_s(self, device: Sequence[int], priority: Sequence[float]) -> float:
        """Return the response time that 95 % of the frames keep to (the next one in rank)."""
        times = np.sort(self.response_times(device, priority))
        return float(times[math.ceil(0.95 * self.frames) - 1])


def _oldest_first(priority: Sequence[float], frames: int) -> Floats:
    """Return the priorities of all frames' partitions, (N * P,), any of an older frame above a newer's."""
    _, place = np.unique(np.array(priority, np.float64), return_inverse=True)  # (P,), equals alike
    age = np.arange(frames)[::-1, None] * len(place)  # (N, 1)
    return np.asarray((age + place[None, :]).ravel(), np.float64)


def _repeated(a: Arrays, frames: int, interval_s: float) -> Arrays:
    """Return the problem of many frames; devices, links and memory are those of one."""
    partitions, tensors, edges = len(a.memory), len(a.size), len(a.consumer)

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
        release=np.repeat(np.arange(frames) * interval_s, partitions),
        first_input=starts(a.first_input),
        input=shifted(a.input, tensors) if edges else a.input,
        macs=np.tile(a.macs, frames),
        per_mac=a.per_mac,
        per_byte=a.per_byte,
    )
