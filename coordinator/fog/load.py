"""What is known of the fog nodes when a deployment is placed: how slow they are, what others use of them; pure."""

from collections.abc import Iterable, Mapping

from broker.messages import NodeInfo
from coordinator.fog.layout_request import LayoutRequest, Measured
from coordinator.fog.taken import NOTHING, Taken
from models.bundle import Bundle

Neighbours = frozenset[tuple[str, int, float]]
"""Deployments that use the same fog nodes: name, epoch that serves, frames per second."""


def slowed(
    bundle: Bundle,
    nodes: Mapping[str, NodeInfo],
    expected: Measured,
    factors: Mapping[str, float],
) -> dict[tuple[str, str], float]:
    """Return the seconds by (node, sha256) of every partition on the nodes that are slow.

    ``expected`` are the seconds by (hardware, sha256) that the factors are of.
    """
    slow = {node: info for node, info in nodes.items() if factors.get(node, 1.0) != 1.0}
    usual = LayoutRequest(bundle, slow, expected)
    return {
        (node, part.sha256): factors[node] * usual.seconds(part, node)
        for node in slow
        for part in bundle.partitions
    }


def together(several: Iterable[Mapping[str, Taken]]) -> dict[str, Taken]:
    """Return what several deployments take of every node."""
    taken: dict[str, Taken] = {}
    for of_one in several:
        for node, more in of_one.items():
            taken[node] = taken.get(node, NOTHING) + more
    return taken
