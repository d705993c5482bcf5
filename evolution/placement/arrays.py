"""A placement problem as numpy arrays, and the arrays that the compiled kernel works in.

P partitions, D devices, T tensors, E consumers of all tensors together (edges). Lists of lists are
flat: those of item i are `of[first_of[i] : first_of[i + 1]]`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evolution.placement.cost_model import CostModel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Of Bench.counts: events on the heap, finished tensors, touched devices, evaluations so far, and
# whether the latest one was beyond the energy budget.
EVENTS, FINISHED, TOUCHED, EVALUATIONS, BEYOND = range(5)
COUNTS = 5
MOST_CHANGES = 8  # partitions that one move changes, at most


class Arrays(NamedTuple):
    """What does not change while a problem is being solved; see `arrays_of`."""

    seconds: Floats  # (P, D), infinite where the partition may not run
    memory: Floats  # (P, D) bytes, none where the device holds the partition already
    capacity: Floats  # (D,) bytes
    latency: Floats  # (D,) seconds
    uplink: Floats  # (D,) bytes per second
    downlink: Floats  # (D,) bytes per second
    size: Floats  # (T,) bytes
    producer: Ints  # (T,) partition
    first_consumer: Ints  # (T + 1,)
    consumer: Ints  # (E,) partition
    edge_tensor: Ints  # (E,) the tensor of an edge
    first_output: Ints  # (P + 1,)
    output: Ints  # (T,) tensor
    first_near: Ints  # (P + 1,)
    near: Ints  # (2E,) partitions that a partition takes tensors from or gives them to
    first_choice: Ints  # (P + 1,)
    choice: Ints  # devices where a partition may run, the fastest first
    needed: Ints  # (P,) tensors that a partition waits for
    order: Ints  # (P,) producers before consumers
    free: Ints  # partitions with more than one choice
    release: Floats  # (P,) seconds before which a partition without inputs may not start
    first_input: Ints  # (P + 1,)
    input: Ints  # (E,) tensor
    macs: Floats  # (P,)
    per_mac: Floats  # (D,) joules
    per_byte: Floats  # (D,) joules, up and down each


class Bench(NamedTuple):
    """What the kernel writes while it follows a frame and while it searches; see `bench_for`."""

    missing: Ints  # (P,) tensors still to come
    head: Ints  # (D,) the first of the ready partitions of a device, -1 for none
    link: Ints  # (P,) the one after it
    last: Ints  # (D,) the partition computed latest, -1 for none
    idle: Ints  # (D,) 1 or 0
    up_free: Floats  # (D,) when the uplink is free
    down_free: Floats  # (D,)
    up_last: Ints  # (D,) the tensor sent latest
    down_last: Ints  # (D,) the edge received latest
    time: Floats  # heap of events: when
    code: Ints  # and what: partition ends, tensor at the broker, edge delivered, partition released
    counts: Ints  # (5,) see EVENTS and those after it
    finished: Ints  # (T,) tensors whose upload waits for the end of this instant
    touched: Ints  # devices that may have something new to compute
    tail: Floats  # (P,) seconds at least from the end of a partition to the end of the frame
    load: Floats  # (3 * D,) seconds a frame of processors, uplinks and downlinks
    mark: Ints  # (D,)
    started: Floats  # (P,) start of a partition
    ready_at: Floats  # (P,) when its last tensor came
    via: Ints  # (P,) edge by which it came, -1 for none, -2 - producer when from the same device
    waited: Ints  # (P,) partition that occupied the device until it started, -1 for none
    sent: Floats  # (T,) start of the upload, -1 without one
    up_behind: Ints  # (T,) tensor that occupied the uplink until then, -1 for none
    received: Floats  # (E,) start of the download, -1 where another edge or none stands for it
    down_behind: Ints  # (E,)
    room: Floats  # (D,) bytes left
    moved: Ints  # (MOST_CHANGES,) partitions changed by a move
    was_device: Ints  # (MOST_CHANGES,)
    was_priority: Floats  # (MOST_CHANGES,)
    critical: Ints  # (P,) partitions on the longest chain, or on the busiest device
    seen: Ints  # (P,)


class Weights(NamedTuple):
    """What a plan costs, in seconds, for `refinement.cost`; all of them floats, or numba compiles anew."""

    response: float  # for a second of the response time
    busiest: float  # for a second of the busiest resource
    interval_s: float  # seconds between two frames, that the busiest resource should keep up with
    joule: float  # for a joule
    budget_j: float  # joules of a frame
    joule_beyond: float  # for a joule beyond the budget
    byte_beyond: float  # for a byte beyond the memory of a device


def arrays_of(model: CostModel) -> Arrays:
    """Return the arrays of a problem."""
    devices = model.problem.devices
    first_consumer, consumer = _flat(model.consumers)
    first_output, output = _flat(model.outputs)
    first_near, near = _flat(
        [
            [model.producer[t] for t in inputs] + [c for t in outputs for c in model.consumers[t]]
            for inputs, outputs in zip(model.inputs, model.outputs, strict=True)
        ]
    )
    first_input, entering = _flat(model.inputs)
    first_choice, choice = _flat(
        [
            sorted(choices, key=seconds.__getitem__)
            for choices, seconds in zip(model.choices, model.seconds, strict=True)
        ]
    )
    return Arrays(
        seconds=_floats(model.seconds).reshape(len(model.seconds), len(devices)),
        memory=_floats(model.memory).reshape(len(model.seconds), len(devices)),
        capacity=_floats(model.capacity),
        latency=_floats(model.latency),
        uplink=_floats([device.uplink_bytes_per_s for device in devices]),
        downlink=_floats([device.downlink_bytes_per_s for device in devices]),
        size=_floats([tensor.bytes for tensor in model.problem.tensors]),
        producer=_ints(model.producer),
        first_consumer=first_consumer,
        consumer=consumer,
        edge_tensor=_ints([t for t, listed in enumerate(model.consumers) for _ in listed]),
        first_output=first_output,
        output=output,
        first_near=first_near,
        near=near,
        first_choice=first_choice,
        choice=choice,
        needed=_ints([len(inputs) for inputs in model.inputs]),
        order=_ints(model.order),
        free=_ints([p for p, choices in enumerate(model.choices) if len(choices) > 1]),
        release=np.zeros(len(model.seconds)),
        first_input=first_input,
        input=entering,
        macs=_floats(model.macs),
        per_mac=_floats(model.per_mac),
        per_byte=_floats(model.per_byte),
    )


def bench_for(arrays: Arrays) -> Bench:
    """Return work arrays of the sizes of a problem."""
    partitions, devices = arrays.seconds.shape
    tensors, edges = len(arrays.size), len(arrays.consumer)
    events = 2 * partitions + tensors + edges + 1

    def ints(size: int) -> Ints:
        return np.zeros(size, np.int64)

    def floats(size: int) -> Floats:
        return np.zeros(size, np.float64)

    return Bench(
        missing=ints(partitions),
        head=ints(devices),
        link=ints(partitions),
        last=ints(devices),
        idle=ints(devices),
        up_free=floats(devices),
        down_free=floats(devices),
        up_last=ints(devices),
        down_last=ints(devices),
        time=floats(events),
        code=ints(events),
        counts=ints(COUNTS),
        finished=ints(tensors),
        touched=ints(devices + events),
        tail=floats(partitions),
        load=floats(3 * devices),
        mark=ints(devices),
        started=floats(partitions),
        ready_at=floats(partitions),
        via=ints(partitions),
        waited=ints(partitions),
        sent=floats(tensors),
        up_behind=ints(tensors),
        received=floats(edges),
        down_behind=ints(edges),
        room=floats(devices),
        moved=ints(MOST_CHANGES),
        was_device=ints(MOST_CHANGES),
        was_priority=floats(MOST_CHANGES),
        critical=ints(partitions),
        seen=ints(partitions),
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


def _floats(values: Sequence[float] | Sequence[list[float]]) -> Floats:
    return np.array(values, np.float64)


def _flat(lists: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """Return where each list begins, and all of them in one."""
    first = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(listed) for listed in lists], out=first[1:])
    return first, _ints([item for listed in lists for item in listed])
