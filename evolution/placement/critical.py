"""The partitions to blame for the cost of a plan, which are the ones worth moving; compiled."""

from evolution.placement.arrays import Arrays, Bench, Ints
from evolution.placement.compiled import compiled, inlined


@compiled
def critical(a: Arrays, b: Bench, device: Ints, by_load: bool) -> int:
    """Fill `critical` after a plan was evaluated in full, and return how many there are.

    For the response time: the partitions on the chain of waiting that ends the frame. For the
    busiest resource: the partitions on its device.
    """
    if by_load:
        return _on_busiest(a, b, device)
    p = 0
    for q in range(len(device)):
        b.seen[q] = 0
        if b.started[q] + a.seconds[q, device[q]] > b.started[p] + a.seconds[p, device[p]]:
            p = q
    count = 0
    while p >= 0:
        if b.seen[p] == 0:
            b.seen[p] = 1
            b.critical[count] = p
            count += 1
        if b.waited[p] >= 0:
            p = b.waited[p]
        elif b.via[p] < 0:
            p = -2 - b.via[p]  # -1, the end, for a partition without inputs
        else:
            edge = b.via[p]
            while b.down_behind[edge] >= 0:
                edge = b.down_behind[edge]
            t = a.edge_tensor[edge]
            while b.up_behind[t] >= 0:
                t = b.up_behind[t]
            p = a.producer[t]
    return count


@inlined
def _on_busiest(a: Arrays, b: Bench, device: Ints) -> int:
    """Take the partitions on the device of the busiest resource."""
    busy = 0
    for i in range(len(b.load)):
        if b.load[i] > b.load[busy]:
            busy = i
    busy %= len(a.latency)
    count = 0
    for p in range(len(device)):
        if device[p] == busy:
            b.critical[count] = p
            count += 1
    return count
