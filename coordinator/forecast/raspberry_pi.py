"""How long a Raspberry Pi 4 would compute, where nobody has said what devices there are; pure."""

from typing import Final

from coordinator.search.devices import ASSUMED_MACS_PER_S
from evolution.cost import NetworkShape, branch_macs, total_macs
from evolution.genome import Genome
from evolution.placement.fog import RUN_OVERHEAD_S

PI_4_CORE_MACS_PER_S: Final = ASSUMED_MACS_PER_S
"""One core of a Raspberry Pi 4, assumed. XNNPACK's README has 75 ms for MobileNet v1 (569 million MACs) on all
four cores, which is 1.9e9 a core; ours are smaller convolutions, so real ones may be slower."""


def alone_s(genome: Genome, shape: NetworkShape) -> float:
    """Return the seconds that one core computes for a picture, all branches one after the other."""
    partitions = genome.branch_count * genome.stage_count + 1
    return total_macs(genome, shape) / PI_4_CORE_MACS_PER_S + partitions * RUN_OVERHEAD_S


def spread_s(genome: Genome, shape: NetworkShape) -> float:
    """Return the seconds that the heaviest branch takes on a device of its own, the fusion included."""
    heaviest = max(branch_macs(genome, shape))
    return heaviest / PI_4_CORE_MACS_PER_S + (genome.stage_count + 1) * RUN_OVERHEAD_S
