"""The networks that suit a shape of pictures, where nobody says which to search."""

from typing import Final

from evolution.cost import NetworkShape, total_macs
from evolution.genome import Genome, Space, Stage

BRANCHES: Final = 4
LEAST: Final = 3  # pixels that are left of a side after the last stage
NODES: Final = {1: 3, 2: 3, 3: 3, 4: 2}
"""By the number of stages: four are deep enough with little in each."""
CHANNELS: Final = {
    1: ((16,),),
    2: ((16, 32), (8, 16)),
    3: ((16, 32, 32), (8, 16, 32), (4, 8, 16)),
    4: ((8, 16, 16, 32), (4, 8, 16, 32), (2, 4, 8, 16)),
}
"""By the number of stages, from wide to narrow: the larger the pictures, the narrower."""
MACS: Final = 45e6
"""What a network half as dense as it may be costs: a tenth of a second on one core of a Raspberry Pi 4."""


def default_network(shape: tuple[int, int, int], classes: int) -> tuple[Space, NetworkShape]:
    """Return the space to search and the network's sizes for pictures (C, H, W).

    Four branches of as many stages as leave three pixels of the shorter side, at most four, and the
    widest channels that `MACS` allow. Raises ValueError for pictures too small for one stage.
    """
    stages = max((n for n in CHANNELS if min(shape[1:]) >> n >= LEAST), default=1)
    space = Space(nodes=(NODES[stages],) * stages, branches=BRANCHES)
    networks = [NetworkShape(classes, shape, (channels,)) for channels in CHANNELS[stages]]
    fitting = (network for network in networks if _half(space, network) <= MACS)
    return space, next(fitting, networks[-1])


def _half(space: Space, network: NetworkShape) -> float:
    """Return the mean of the MACs of the smallest network and of the densest."""
    ends = []
    for bit in "01":
        branch = tuple(Stage.from_bits(bit * (k * (k - 1) // 2)) for k in space.nodes)
        ends.append(total_macs(Genome((branch,) * space.branches), network))
    return sum(ends) / 2
