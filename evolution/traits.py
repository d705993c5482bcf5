"""What can be said of a network before it is measured, in numbers that a line can be fitted through."""

from statistics import fmean

import numpy as np
import numpy.typing as npt

from evolution.cost import NetworkShape, exchanged_bytes, stage_output_bytes, total_macs
from evolution.genome import Genome, Stage

Floats = npt.NDArray[np.float64]


def traits(genome: Genome, shape: NetworkShape) -> Floats:
    """Return a network's traits, (2 + 5 S,); isomorphic genomes have equal ones.

    They are the logarithm of its MACs, the bytes exchanged between branches as a share of those
    handed on, and by stage, the mean over branches, its nodes, edges, depth and exits (shares of
    what is possible) and whether it is empty.
    """
    by_stage = zip(*genome.branches, strict=True)
    stages = [
        fmean(values) for stage in by_stage for values in zip(*map(_stage, stage), strict=True)
    ]
    handed = sum(stage_output_bytes(genome, shape).values())
    costs = [np.log(total_macs(genome, shape)), exchanged_bytes(genome, shape) / handed]
    return np.array(costs + stages, np.float64)


def _stage(stage: Stage) -> tuple[float, ...]:
    depth: dict[int, int] = {}
    for node in stage.active:
        before = [depth[earlier] for earlier in stage.predecessors(node)]
        depth[node] = 1 + max(before, default=0)
    return (
        len(stage.active) / stage.nodes,
        stage.bits.count("1") / len(stage.bits),
        max(depth.values(), default=0) / stage.nodes,
        len(stage.exits) / stage.nodes,
        float(stage.is_empty),
    )
