"""hypothesis strategies of this folder: spaces, genomes, shapes, placement problems and plans."""

import numpy as np
from hypothesis import strategies as st

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space, Stage
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def stages(draw: st.DrawFn, largest: int = 6) -> Stage:
    nodes = draw(st.integers(2, largest))
    size = nodes * (nodes - 1) // 2
    return Stage.from_bits(draw(st.text("01", min_size=size, max_size=size)))


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    nodes = tuple(draw(st.lists(st.integers(2, 5), min_size=1, max_size=3)))
    branches = draw(st.integers(1, 3))
    can_exchange = branches > 1 and len(nodes) > 1
    return Space(nodes, branches, can_exchange and draw(st.booleans()), draw(st.integers(0, 3)))


@st.composite
def genomes(draw: st.DrawFn) -> Genome:
    return draw(spaces()).random(draw(rngs))


@st.composite
def networks(draw: st.DrawFn) -> tuple[Genome, NetworkShape]:
    genome = draw(genomes())
    widths = 1 + max(genome.widths or (0,))
    channels = st.tuples(*[st.integers(1, 9)] * genome.stage_count)
    return genome, NetworkShape(
        classes=draw(st.integers(2, 10)),
        input=(draw(st.integers(1, 3)), draw(st.integers(8, 30)), draw(st.integers(8, 30))),
        channels=tuple(draw(channels) for _ in range(widths)),
        kernel=draw(st.sampled_from([1, 3, 5])),
    )


@st.composite
def problems(
    draw: st.DrawFn, most_partitions: int = 7, most_devices: int = 4, *, memory: bool = True
) -> PlacementProblem:
    """Small numbers with exact sums, so that events often fall on the same instant."""
    quarters = st.integers(0, 12).map(lambda n: n / 4)
    device_ids = [f"fog-{d}" for d in range(draw(st.integers(1, most_devices)))]
    partition_ids = [f"part-{p}" for p in range(draw(st.integers(1, most_partitions)))]
    order = draw(st.permutations(partition_ids))  # edges lead forward in this order
    devices = tuple(
        Device(
            d,
            100,
            draw(st.sampled_from([1, 2, 4])),
            draw(st.sampled_from([1, 2, 4])),
            draw(quarters),
        )
        for d in device_ids
    )
    partitions = []
    for name in partition_ids:
        where = draw(st.sets(st.sampled_from(device_ids), min_size=1))
        size = draw(st.integers(0, 60)) if memory and 1 < len(where) == len(device_ids) else 0
        held = draw(st.sets(st.sampled_from(device_ids))) if size else ()
        seconds = {d: draw(quarters) for d in sorted(where)}
        partitions.append(Partition(name, size, seconds, held=tuple(sorted(held))))
    tensors = []
    for number in range(draw(st.integers(0, 8)) if len(order) > 1 else 0):
        first = draw(st.integers(0, len(order) - 2))
        consumers = draw(st.lists(st.sampled_from(order[first + 1 :]), unique=True, max_size=3))
        size = draw(st.integers(1, 8))
        tensors.append(Tensor(f"tensor-{number}", size, order[first], tuple(consumers)))
    pinned = {}
    if draw(st.booleans()):
        fixed = partitions[0]
        pinned[fixed.id] = draw(st.sampled_from(sorted(fixed.seconds)))
    return PlacementProblem(devices, tuple(partitions), tuple(tensors), pinned)


@st.composite
def plans(draw: st.DrawFn, problem: PlacementProblem) -> tuple[dict[str, str], dict[str, float]]:
    """A placement that keeps to `choices` (not to memory), with some priorities of its own."""
    placement = {
        partition.id: draw(st.sampled_from(problem.choices(partition))).id
        for partition in problem.partitions
    }
    own = draw(st.sets(st.sampled_from(sorted(placement))))
    return placement, {name: float(draw(st.integers(0, 9))) for name in sorted(own)}
