"""The joules that a frame costs, and how a plan that costs too many is repaired; compiled."""

from evolution.placement.arrays import Arrays, Bench, Ints
from evolution.placement.compiled import compiled, inlined


@compiled
def energy(a: Arrays, b: Bench, device: Ints) -> float:
    """Return the joules of a frame: computing, one upload a tensor, one download a device."""
    joules = 0.0
    for p in range(len(device)):
        joules += a.macs[p] * a.per_mac[device[p]]
    for t in range(len(a.size)):
        joules += _sending(a, b, device, t)
    return joules


@compiled
def thrifty(a: Arrays, b: Bench, device: Ints, budget: float) -> float:
    """Move partitions, those that save most first, until the plan keeps to the budget.

    Returns the joules; more than the budget where no single move saves any more. Memory is kept.
    """
    for d in range(len(a.capacity)):
        b.room[d] = a.capacity[d]
    for p in range(len(device)):
        b.room[device[p]] -= a.memory[p, device[p]]
    spent = energy(a, b, device)
    while spent > budget:
        most, partition, target = 0.0, -1, -1
        for i in range(len(a.free)):
            p = a.free[i]
            home, here = device[p], _share(a, b, device, p)
            for at in range(a.first_choice[p], a.first_choice[p + 1]):
                d = a.choice[at]
                if d == home or b.room[d] < a.memory[p, d]:
                    continue
                device[p] = d
                saved = here - _share(a, b, device, p)
                if saved > most:
                    most, partition, target = saved, p, d
            device[p] = home
        if partition < 0:
            break
        b.room[device[partition]] += a.memory[partition, device[partition]]
        b.room[target] -= a.memory[partition, target]
        device[partition] = target
        before = spent
        spent = energy(a, b, device)
        if spent >= before:  # saved by rounding only
            break
    return spent


@inlined
def _share(a: Arrays, b: Bench, device: Ints, p: int) -> float:
    """Return the joules that depend on where a partition is."""
    joules = a.macs[p] * a.per_mac[device[p]]
    for i in range(a.first_output[p], a.first_output[p + 1]):
        joules += _sending(a, b, device, a.output[i])
    for i in range(a.first_input[p], a.first_input[p + 1]):
        joules += _sending(a, b, device, a.input[i])
    return float(joules)


@inlined
def _sending(a: Arrays, b: Bench, device: Ints, t: int) -> float:
    """Return the joules of a tensor's upload, if it needs one, and of its downloads."""
    home = device[a.producer[t]]
    for e in range(a.first_consumer[t], a.first_consumer[t + 1]):
        b.mark[device[a.consumer[e]]] = -1
    b.mark[home] = t
    joules = 0.0
    goes_up = False
    for e in range(a.first_consumer[t], a.first_consumer[t + 1]):
        d = device[a.consumer[e]]
        if b.mark[d] != t:
            b.mark[d] = t
            goes_up = True
            joules += a.size[t] * a.per_byte[d]
    if goes_up:
        joules += a.size[t] * a.per_byte[home]
    return float(joules)
