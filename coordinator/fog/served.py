"""What those who watch a deployment need to know of the epoch that serves; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from models.bundle import Bundle


@dataclass(frozen=True)
class Served:
    """An epoch that serves: where its partitions run, and how long they should take there.

    ``placement`` is a fog node by partition, ``expected_s`` seconds by partition, ``predicted_s``
    how soon a frame should be answered, ``since`` when it began to serve in monotonic seconds, and
    ``fusion`` the nodes that answer, the first first.
    ``chains`` has for each tensor of the fusion the nodes that it comes from: its maker, then those
    that make what the maker needs.
    """

    epoch: int
    since: float
    placement: Mapping[str, str]
    expected_s: Mapping[str, float]
    predicted_s: float
    fusion: tuple[str, ...]
    chains: Mapping[str, tuple[str, ...]]

    @cached_property
    def nodes(self) -> frozenset[str]:
        """The fog nodes that it needs."""
        return frozenset(self.placement.values())


def chains(bundle: Bundle, placement: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return for each tensor of the fusion the fog nodes that it comes from, its maker first."""
    maker = {name: part for part in bundle.partitions for name in part.outputs}
    found: dict[str, tuple[str, ...]] = {}
    for tensor in bundle.fusion.inputs:
        nodes: dict[str, None] = {}
        waiting = [tensor]
        for name in waiting:
            part = maker.get(name)
            if part is not None:
                nodes.setdefault(placement[part.id])
                waiting += [needed for needed in part.inputs if needed not in waiting]
        found[tensor] = tuple(nodes)
    return found
