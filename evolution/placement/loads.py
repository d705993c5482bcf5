"""The seconds that a frame costs every processor, uplink and downlink; compiled."""

from evolution.placement.arrays import Arrays, Bench, Ints
from evolution.placement.compiled import compiled


@compiled
def busiest(a: Arrays, b: Bench, device: Ints) -> float:
    """Return the seconds of the busiest resource; those of all are left in `load`, (3 * D,)."""
    devices = len(a.latency)
    b.load[:] = 0.0
    for p in range(len(device)):
        b.load[device[p]] += a.seconds[p, device[p]]
    b.mark[:] = -1
    for t in range(len(a.size)):
        home = device[a.producer[t]]
        b.mark[home] = t
        goes_up = False
        for e in range(a.first_consumer[t], a.first_consumer[t + 1]):
            d = device[a.consumer[e]]
            if b.mark[d] != t:
                b.mark[d] = t
                goes_up = True
                b.load[2 * devices + d] += a.size[t] / a.downlink[d]
        if goes_up:
            b.load[devices + home] += a.size[t] / a.uplink[home]
    most = 0.0
    for i in range(3 * devices):
        most = max(most, b.load[i])
    return most
