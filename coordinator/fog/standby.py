"""Which fog node stands by for the fusion; pure."""

from dataclasses import replace

from coordinator.fog.held import free_bytes, held_by, held_together
from coordinator.fog.layout import Layout, response_s
from coordinator.fog.layout_request import LayoutRequest

MOST_TRIED = 16
"""Of more nodes only those with the fewest partitions are looked at."""


def with_standby(request: LayoutRequest, layout: Layout) -> Layout:
    """Return the layout with the node that would answer soonest, were the fusion there instead.

    It has to have the memory beside what it holds and runs. Without such a node there is no standby.
    """
    fusion = next(p for p in request.bundle.partitions if p.id == request.bundle.fusion.id)
    first = layout.placement[fusion.id]
    held = held_together([request.held, held_by(request.bundle, layout.placement)])
    runs = list(layout.placement.values())
    able = [
        node
        for node, info in request.nodes.items()
        if node != first
        and (
            fusion.sha256 in held.get(node, {})
            or free_bytes(info.memory_bytes, held.get(node, {}))
            - request.taken_on(node).memory_bytes
            >= fusion.memory_bytes
        )
    ]
    able = sorted(able, key=lambda node: (runs.count(node), node))[:MOST_TRIED]

    def answers_after(node: str) -> tuple[float, int, str]:
        moved = replace(layout, placement={**layout.placement, fusion.id: node})
        return response_s(request, moved), runs.count(node), node

    return replace(layout, standby=min(able, key=answers_after, default=""))
