"""Local search on a plan, compiled: small moves, each kept if the cost stays below a threshold.

The threshold is the present cost plus a temperature that falls to nothing, so that a search begins
as simulated annealing and ends as descent. Random numbers come from outside, seven for each move.
"""

# Compiled functions get all their arrays from outside.
# ruff: noqa: PLR0917

import math

from evolution.placement.arrays import BEYOND, EVALUATIONS, Arrays, Bench, Floats, Ints, Weights
from evolution.placement.compiled import compiled, inlined
from evolution.placement.critical import critical
from evolution.placement.energy import energy
from evolution.placement.kernel import response
from evolution.placement.loads import busiest

DRAWS = 7  # random numbers in [0, 1) for a move
LATE = 100.0  # seconds of cost for a second by which the busiest resource exceeds the interval
CHAIN = 4  # the longest chain moved at once
HALF_LIFE = 0.6931471805599453  # ln 2


@compiled
def cost(
    a: Arrays, b: Bench, device: Ints, priority: Floats, weights: Weights, limit: float
) -> float:
    """Return what a plan costs, or infinity as soon as that is known to exceed the limit.

    The response time, the busiest resource and the energy by their weights, LATE for each second
    that the busiest resource takes beyond the interval, and what is paid for energy beyond the
    budget; counts[BEYOND] says whether there was any.
    """
    b.counts[EVALUATIONS] += 1
    b.counts[BEYOND] = 0
    found = 0.0
    if weights.joule > 0 or weights.budget_j < math.inf:
        spent = energy(a, b, device)
        found = weights.joule * spent
        if spent > weights.budget_j:
            b.counts[BEYOND] = 1
            found += weights.joule_beyond * (spent - weights.budget_j)
        if found > limit or found == math.inf:
            return math.inf
    if weights.busiest > 0 or weights.interval_s < math.inf:
        most = busiest(a, b, device)
        found += weights.busiest * most + LATE * max(0.0, most - weights.interval_s)
        if found > limit:
            return math.inf
    rest = (limit - found) / weights.response
    return float(found + weights.response * response(a, b, device, priority, rest))


@compiled
def refine(
    a: Arrays, b: Bench, device: Ints, priority: Floats, best_device: Ints, best_priority: Floats,
    draws: Floats, weights: Weights, temperature: float,
) -> float:  # fmt: skip
    """Walk from a plan, one move for each row of `draws` (N, DRAWS), and return the best cost met.

    `temperature` is a share of the cost. `device` and `priority` end where the walk ends, the best
    plan is in the other two. The walk may leave memory and the energy budget for a while, at
    weights.byte_beyond and weights.joule_beyond; the best plan keeps to both if the first one does.
    """
    _empty_rooms(a, b, device)
    present = best = cost(a, b, device, priority, weights, math.inf)
    _copy(device, priority, best_device, best_priority)
    chain = critical(a, b, device, weights.busiest >= 1)
    for step in range(len(draws)):
        left = 1 - step / len(draws)
        changes = _move(a, b, device, priority, draws[step], chain)
        if changes == 0:
            continue
        heat = best * temperature * left * left * left
        threshold = present + heat * _exponential(draws[step, 5])
        extra = _crowded(b, weights.byte_beyond)
        found = math.inf
        if extra < threshold:
            found = extra + cost(a, b, device, priority, weights, threshold - extra)
        if found > threshold:
            _undo(a, b, device, priority, changes)
            continue
        present = found
        chain = critical(a, b, device, weights.busiest >= 1)
        if found < best and extra == 0 and b.counts[BEYOND] == 0:
            best = found
            _copy(device, priority, best_device, best_priority)
    return best


@inlined
def _exponential(draw: float) -> float:
    """Turn an even draw into one of mean 1, nearly exponential, by exact operations only."""
    halvings = 0
    while draw < 0.5 and halvings < 60:
        draw *= 2
        halvings += 1
    return HALF_LIFE * (halvings + 2 - 2 * draw)


@inlined
def _copy(device: Ints, priority: Floats, to_device: Ints, to_priority: Floats) -> None:
    """Write a plan over another, without the temporary array that a slice would take."""
    for p in range(len(device)):
        to_device[p] = device[p]
        to_priority[p] = priority[p]


@inlined
def _empty_rooms(a: Arrays, b: Bench, device: Ints) -> None:
    """Fill `room` with the bytes left on every device."""
    for d in range(len(a.capacity)):
        b.room[d] = a.capacity[d]
    for p in range(len(device)):
        b.room[device[p]] -= a.memory[p, device[p]]


@inlined
def _crowded(b: Bench, per_byte: float) -> float:
    """Return the price of the bytes by which memory is exceeded."""
    missing = 0.0
    for d in range(len(b.room)):
        if b.room[d] < 0:
            missing -= b.room[d]
    return missing * per_byte if missing > 0 else 0.0


@inlined
def _move(a: Arrays, b: Bench, device: Ints, priority: Floats, u: Floats, chain: int) -> int:
    """Change the plan a little; return how many entries of `moved` say what was before."""
    if u[0] < 0.25 or len(a.free) == 0:
        return _exchange_priorities(b, device, priority, u, chain)
    if u[6] < 0.5 and chain > 0:
        p = b.critical[int(u[1] * chain)]
    else:
        p = a.free[int(u[1] * len(a.free))]
    if a.first_choice[p + 1] - a.first_choice[p] < 2:
        return 0
    changes = 0
    if u[0] < 0.50:  # anywhere else, rather where it is fast
        changes = _put(a, b, device, priority, p, _choice(a, p, u[2] * u[2]), 0)
    elif u[0] < 0.75:  # where a producer or consumer is
        near = a.first_near[p + 1] - a.first_near[p]
        if near > 0:
            other = a.near[a.first_near[p] + int(u[2] * near)]
            changes = _put(a, b, device, priority, p, device[other], 0)
    elif u[0] < 0.90:  # exchange places with another
        other = a.free[int(u[2] * len(a.free))]
        there = device[other]
        changes = _put(a, b, device, priority, other, device[p], 0)
        changes = _put(a, b, device, priority, p, there, changes)
    else:
        changes = _put_chain(a, b, device, priority, u, p)
    return changes


@inlined
def _choice(a: Arrays, p: int, draw: float) -> int:
    """Return a device on which a partition may run."""
    first = a.first_choice[p]
    return int(a.choice[first + int(draw * (a.first_choice[p + 1] - first))])


@inlined
def _put_chain(a: Arrays, b: Bench, device: Ints, priority: Floats, u: Floats, p: int) -> int:
    """Move a partition and some that follow it to one device."""
    target = _choice(a, p, u[2] * u[2])
    changes = _put(a, b, device, priority, p, target, 0)
    draw = u[3]
    for _ in range(1 + int(u[4] * (CHAIN - 1))):
        outputs = a.first_output[p + 1] - a.first_output[p]
        if outputs == 0:
            break
        draw *= outputs
        t = a.output[a.first_output[p] + int(draw)]
        draw -= int(draw)
        consumers = a.first_consumer[t + 1] - a.first_consumer[t]
        if consumers == 0:
            break
        draw *= consumers
        p = a.consumer[a.first_consumer[t] + int(draw)]
        draw -= int(draw)
        changes = _put(a, b, device, priority, p, target, changes)
    return changes


@inlined
def _put(a: Arrays, b: Bench, device: Ints, priority: Floats, p: int, d: int, changes: int) -> int:
    """Move a partition unless it is there or may not be; return the number of changes so far."""
    if device[p] == d or a.seconds[p, d] == math.inf:
        return changes
    b.moved[changes], b.was_device[changes], b.was_priority[changes] = p, device[p], priority[p]
    b.room[device[p]] += a.memory[p, device[p]]
    b.room[d] -= a.memory[p, d]
    device[p] = d
    return changes + 1


@inlined
def _exchange_priorities(b: Bench, device: Ints, priority: Floats, u: Floats, chain: int) -> int:
    """Exchange the priorities of a partition and the next one on its device, from any start."""
    count = len(device)
    p = b.critical[int(u[1] * chain)] if u[6] < 0.5 and chain > 0 else int(u[1] * count)
    start = int(u[2] * count)
    for i in range(count):
        q = (start + i) % count
        if device[q] == device[p] and priority[q] != priority[p]:
            b.moved[0], b.was_device[0], b.was_priority[0] = p, device[p], priority[p]
            b.moved[1], b.was_device[1], b.was_priority[1] = q, device[q], priority[q]
            priority[p], priority[q] = priority[q], priority[p]
            return 2
    return 0


@inlined
def _undo(a: Arrays, b: Bench, device: Ints, priority: Floats, changes: int) -> None:
    """Put back what a move changed, the latest first."""
    for i in range(changes - 1, -1, -1):
        p = b.moved[i]
        b.room[device[p]] += a.memory[p, device[p]]
        b.room[b.was_device[i]] -= a.memory[p, b.was_device[i]]
        device[p] = b.was_device[i]
        priority[p] = b.was_priority[i]
