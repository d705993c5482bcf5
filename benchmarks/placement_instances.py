"""Random placement problems of a size and a communication-to-compute ratio."""

import numpy as np

from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor

FRESH = 1000  # tables use seeds from here on; the search was tuned on 0 to 39 and from 2000 on


def instance(seed: int, partitions: int, devices: int, ratio: float) -> PlacementProblem:
    """Return a layered graph on uneven devices; the first partition is a camera, pinned.

    As many layers as the root of the partitions (Topcuoglu et al. 2002, doi:10.1109/71.993206);
    every partition takes the outputs of one to four others of the three layers before. Devices
    differ up to fourfold in speed (beyond that by 20 % for each partition) and in their links.
    `ratio` is the mean seconds of one transfer, up and down, over the mean seconds of a partition.
    """
    rng = np.random.default_rng([seed, partitions, devices])
    names = [f"fog-{d}" for d in range(devices)]
    speed = rng.uniform(0.5, 2.0, devices)
    work = rng.uniform(0.002, 0.02, partitions)
    own = rng.uniform(0.8, 1.2, (partitions, devices))
    seconds = work[:, None] * own / speed[None, :]  # (P, D)
    layer = np.sort(rng.integers(1, max(2, round(partitions**0.5) + 1), partitions))
    layer[0] = 0
    consumers: list[list[int]] = [[] for _ in range(partitions)]
    for p in range(1, partitions):
        before = np.flatnonzero((layer < layer[p]) & (layer >= layer[p] - 3))
        for producer in rng.permutation(before)[: rng.integers(1, 5)]:
            consumers[int(producer)].append(p)
    links = rng.uniform(0.5, 2.0, (devices, 2))
    size = rng.uniform(0.2, 1.8, partitions)
    unit = ratio * float(seconds.mean()) / (2 * float((1 / links).mean()))  # seconds
    memory = max(1.0, 3 * partitions / devices)
    return PlacementProblem(
        devices=tuple(
            Device(
                name,
                memory_bytes=memory * 1e6,
                uplink_bytes_per_s=float(links[d, 0]) * 1e6,
                downlink_bytes_per_s=float(links[d, 1]) * 1e6,
                latency_s=0.0005,
            )
            for d, name in enumerate(names)
        ),
        partitions=tuple(
            Partition(
                f"p{p}",
                1e6 if p else 0.0,
                {n: float(seconds[p, d]) if p else 0.0 for d, n in enumerate(names)},
            )
            for p in range(partitions)
        ),
        tensors=tuple(
            Tensor(f"t{p}", float(size[p]) * unit * 1e6, f"p{p}", tuple(f"p{c}" for c in listed))
            for p, listed in enumerate(consumers)
            if listed
        ),
        pinned={"p0": names[0]},
    )
