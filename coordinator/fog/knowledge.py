"""What is known of a site when its deployments are decided on; pure."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace

from broker.messages import NodeInfo
from coordinator.fog.held import Held
from coordinator.fog.layout_request import LayoutRequest, Measured
from coordinator.fog.load import Neighbours, slowed
from coordinator.fog.taken import Taken
from evolution.placement.shared import Cameras, Neighbour
from models.bundle import Bundle

NodeSessions = frozenset[tuple[str, int]]
"""Fog nodes and their sessions."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The fog nodes at hand, and what a placement of one deployment has to reckon with.

    ``unused`` are nodes not to be used and why, ``factors`` how many times longer than usual the slow
    ones take of the ``expected`` seconds, ``measured`` the usual ones, ``missing`` the artifacts that nobody gave us yet.
    ``frames_per_s`` is the rate to place for, ``cameras`` those whose frames are answered now.
    ``neighbours`` are the other deployments; ``taken``, ``held`` and ``beside`` return what they use of
    the nodes, keep in their memory, and compute when: it takes a while to find out, and is asked
    for only where something is placed. ``learned`` of its partitions are known by what they take
    while they serve.
    """

    alive: Mapping[str, NodeInfo]
    unused: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    measured: Measured = field(default_factory=dict)
    frames_per_s: float | None = None
    missing: Container[str] = ()
    neighbours: Neighbours = frozenset()
    taken: Callable[[], Mapping[str, Taken]] = dict
    held: Callable[[], Held] = dict
    cameras: Cameras | None = None
    beside: Callable[[], tuple[Neighbour, ...]] = tuple
    learned: int = 0
    expected: Measured = field(default_factory=dict)

    def without(self, refused: Mapping[str, str]) -> dict[str, NodeInfo]:
        """Return the nodes that can be used, these left out."""
        return {
            node: info
            for node, info in self.alive.items()
            if node not in refused and node not in self.unused
        }

    def with_unused(self) -> "Knowledge":
        """Return the same, but that every node is to be used: nothing fits without them."""
        return replace(self, unused={})

    def request(self, bundle: Bundle, nodes: Mapping[str, NodeInfo], held: Held) -> LayoutRequest:
        """Return what to ask the placer for."""
        return LayoutRequest(
            bundle,
            nodes,
            self.measured,
            slowed(bundle, nodes, self.expected, self.factors),
            self.frames_per_s,
            self.taken(),
            held,
            self.cameras,
            self.beside(),
        )

    def circumstances(self, nodes: Mapping[str, NodeInfo]) -> "Circumstances":
        """Return what, when it changes, is a reason to compare what serves with something else."""
        factors = {node: self.factors[node] for node in sorted(self.factors) if node in nodes}
        return Circumstances(
            sessions(nodes),
            tuple(factors.items()),
            self.frames_per_s,
            self.neighbours,
            self.learned,
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The nodes that can be used, which of them are slow, the rate to place for, and the neighbours.

    ``learned`` is how many partitions are known by what they take while they serve.
    """

    nodes: NodeSessions
    slow: tuple[tuple[str, float], ...]
    frames_per_s: float | None
    neighbours: Neighbours
    learned: int = 0
    expected: Measured = field(default_factory=dict)

    def slower_than(self, before: "Circumstances") -> bool:
        """Return whether a node became slow, or slower than it was."""
        factors = dict(before.slow)
        return any(factor > factors.get(node, 1.0) for node, factor in self.slow)


def sessions(nodes: Mapping[str, NodeInfo]) -> NodeSessions:
    """Return the nodes with their sessions."""
    return frozenset((node, info.session) for node, info in nodes.items())
