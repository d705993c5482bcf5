"""The cost model, compiled: one frame through an idle fog, event by event, a few microseconds each.

Exactly docs/placement.md, "The problem": priority dispatch without preemption, one upload per tensor
in the order of finishing, downloads in the order of arrival at the broker, local delivery at once.
What happens at the same instant is all taken in before any processor, uplink or downlink chooses.

`device` (P,) and `priority` (P,) are the plan.
"""

# Compiled functions get all their arrays from outside.
# ruff: noqa: PLR0917

import math

from evolution.placement.arrays import EVENTS, FINISHED, TOUCHED, Arrays, Bench, Floats, Ints
from evolution.placement.compiled import compiled, inlined
from evolution.placement.heap import pop, push

SLACK = 1 + 1e-9  # a bound that exceeds the limit by rounding alone rules nothing out


@compiled
def response(a: Arrays, b: Bench, device: Ints, priority: Floats, limit: float) -> float:
    """Return the seconds of a frame; infinity as soon as they are known to exceed the limit.

    The starts of everything are left in `b`.
    """
    partitions, transfers = len(device), len(device) + len(a.size)
    released = transfers + len(a.consumer)
    most = limit * SLACK
    if _tails(a, b, device, most) > most:
        return math.inf
    _begin(a, b, device, priority, released)
    now = end = 0.0
    while True:
        if not _compute(a, b, now, most):
            return math.inf
        if b.counts[FINISHED] > 0 and not (b.counts[EVENTS] > 0 and b.time[0] == now):
            _send(a, b, device, now)
        if b.counts[EVENTS] == 0:
            return end
        now = b.time[0]
        while b.counts[EVENTS] > 0 and b.time[0] == now:
            code = pop(b)
            if code < partitions:
                end = now
                _computed(a, b, device, priority, code, now)
            elif code < transfers:
                _at_broker(a, b, device, now, code - partitions)
            elif code < released:
                edge = code - transfers
                home = device[a.consumer[edge]]
                _deliver(a, b, device, priority, a.edge_tensor[edge], edge, home, edge, now)
                _touch(b, home)
            else:
                _ready(b, device, priority, code - released, now, -1)
                _touch(b, device[code - released])


@inlined
def _tails(a: Arrays, b: Bench, device: Ints, most: float) -> float:
    """Fill `tail` on links without queues, and return the longest chain or busiest processor."""
    longest = 0.0
    b.load[: len(a.latency)] = 0.0
    for i in range(len(device) - 1, -1, -1):
        p = a.order[i]
        home = device[p]
        tail = 0.0
        for o in range(a.first_output[p], a.first_output[p + 1]):
            t = a.output[o]
            up = a.size[t] / a.uplink[home] + a.latency[home]
            for e in range(a.first_consumer[t], a.first_consumer[t + 1]):
                c = a.consumer[e]
                d = device[c]
                after = a.seconds[c, d] + b.tail[c]
                if d != home:
                    after += up + a.size[t] / a.downlink[d] + a.latency[d]
                tail = max(tail, after)
        b.tail[p] = tail
        seconds = a.seconds[p, home]
        b.load[home] += seconds
        longest = max(longest, tail + seconds, b.load[home])
        if longest > most:
            break
    return longest


@inlined
def _begin(a: Arrays, b: Bench, device: Ints, priority: Floats, released: int) -> None:
    """Set everything to the start of a frame."""
    b.counts[EVENTS] = b.counts[FINISHED] = b.counts[TOUCHED] = 0
    for d in range(len(a.latency)):
        b.head[d] = b.last[d] = b.up_last[d] = b.down_last[d] = b.mark[d] = -1
        b.up_free[d] = b.down_free[d] = 0.0
        b.idle[d] = 1
        _touch(b, d)
    b.sent[:] = -1.0
    b.received[:] = -1.0
    for p in range(len(device)):
        b.missing[p] = a.needed[p]
        if a.needed[p] == 0:
            if a.release[p] > 0:
                push(b, a.release[p], released + p)
            else:
                _ready(b, device, priority, p, 0.0, -1)


@inlined
def _compute(a: Arrays, b: Bench, now: float, most: float) -> bool:
    """Start the first ready partition on each touched device that is idle; False: too late."""
    for i in range(b.counts[TOUCHED]):
        d = b.touched[i]
        p = b.head[d]
        if p < 0 or b.idle[d] == 0:
            continue
        b.head[d] = b.link[p]
        b.idle[d] = 0
        b.started[p] = now
        b.waited[p] = b.last[d] if b.ready_at[p] < now else -1
        b.last[d] = p
        end = now + a.seconds[p, d]
        if end + b.tail[p] > most:
            return False
        push(b, end, p)
    b.counts[TOUCHED] = 0
    return True


@inlined
def _computed(a: Arrays, b: Bench, device: Ints, priority: Floats, p: int, now: float) -> None:
    """Deliver a partition's outputs on its own device, and note those to send."""
    home = device[p]
    b.idle[home] = 1
    for o in range(a.first_output[p], a.first_output[p + 1]):
        t = a.output[o]
        first = a.first_consumer[t]
        if _deliver(a, b, device, priority, t, first, home, -2 - p, now):
            at = b.counts[FINISHED]
            b.counts[FINISHED] += 1
            while at > 0 and b.finished[at - 1] > t:  # in file order
                b.finished[at] = b.finished[at - 1]
                at -= 1
            b.finished[at] = t
    _touch(b, home)


@inlined
def _send(a: Arrays, b: Bench, device: Ints, now: float) -> None:
    """Queue the tensors finished at this instant at their uplinks, in file order."""
    for i in range(b.counts[FINISHED]):
        t = b.finished[i]
        d = device[a.producer[t]]
        b.up_behind[t] = b.up_last[d] if b.up_free[d] > now else -1
        b.up_last[d] = t
        b.sent[t] = max(now, b.up_free[d])
        b.up_free[d] = b.sent[t] + a.size[t] / a.uplink[d]
        push(b, b.up_free[d] + a.latency[d], len(device) + t)
    b.counts[FINISHED] = 0


@inlined
def _at_broker(a: Arrays, b: Bench, device: Ints, now: float, t: int) -> None:
    """Queue a tensor at the downlinks of all other devices that consume it, once each."""
    b.mark[device[a.producer[t]]] = t
    for e in range(a.first_consumer[t], a.first_consumer[t + 1]):
        d = device[a.consumer[e]]
        if b.mark[d] == t:
            continue
        b.mark[d] = t
        b.down_behind[e] = b.down_last[d] if b.down_free[d] > now else -1
        b.down_last[d] = e
        b.received[e] = max(now, b.down_free[d])
        b.down_free[d] = b.received[e] + a.size[t] / a.downlink[d]
        push(b, b.down_free[d] + a.latency[d], len(device) + len(a.size) + e)


@inlined
def _deliver(
    a: Arrays, b: Bench, device: Ints, priority: Floats,
    t: int, first: int, d: int, via: int, now: float,
) -> bool:  # fmt: skip
    """Give a tensor to its consumers on a device; tell whether others are elsewhere."""
    elsewhere = False
    for e in range(first, a.first_consumer[t + 1]):
        c = a.consumer[e]
        if device[c] != d:
            elsewhere = True
            continue
        b.missing[c] -= 1
        if b.missing[c] == 0:
            _ready(b, device, priority, c, now, via)
    return elsewhere


@inlined
def _ready(b: Bench, device: Ints, priority: Floats, p: int, now: float, via: int) -> None:
    """Put a partition among the ready ones: highest priority first, then the earlier in file."""
    b.ready_at[p] = now
    b.via[p] = via
    d = device[p]
    before, after = -1, b.head[d]
    while after >= 0 and (
        priority[after] > priority[p] or (priority[after] == priority[p] and after < p)
    ):
        before, after = after, b.link[after]
    b.link[p] = after
    if before < 0:
        b.head[d] = p
    else:
        b.link[before] = p


@inlined
def _touch(b: Bench, d: int) -> None:
    b.touched[b.counts[TOUCHED]] = d
    b.counts[TOUCHED] += 1
