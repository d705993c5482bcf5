"""From a bundle and the fog nodes at hand to a placement, and from that to assignments; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.messages import (
    AssignedFusion,
    AssignedInput,
    AssignedPartition,
    Assignment,
    InputSpec,
    NodeInfo,
    Phase,
)
from evolution.placement.cost_model import CostModel
from evolution.placement.fog import ANSWER, CAMERA, RUN_OVERHEAD_S, fog_problem
from evolution.placement.forecast import forecast
from evolution.placement.genetic import place
from evolution.placement.problem import Device, PlacementProblem
from models.bundle import Bundle, BundlePartition

_PATIENCE_FACTOR, _PATIENCE_LEAST_S, _PATIENCE_MOST_S = 5.0, 0.15, 2.0

_CAMERAS: Final = {CAMERA: CAMERA, ANSWER: CAMERA}

Measured = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which fog node runs which partition at which priority, and what that is predicted to reach."""

    placement: dict[str, str]
    priority: dict[str, float]
    response_s: float
    lower_bound_s: float


def laid_out(bundle: Bundle, nodes: Mapping[str, NodeInfo], measured: Measured) -> Layout:
    """Return the best layout found on these nodes; the same nodes give the same layout.

    Raises:
        ValueError: there is none, for a reason that one sentence names.
    """
    problem = placement_problem(bundle, nodes, measured)
    placed = place(problem)
    model = CostModel(problem)
    ranks = dict(zip(model.partition_ids, model.rank, strict=True))
    placement = {part: node for part, node in placed.placement.items() if part not in _CAMERAS}
    priority = {part: placed.priority.get(part, ranks[part]) for part in placement}
    return Layout(placement, priority, placed.response_s, placed.lower_bound_s)


def response_s(
    bundle: Bundle, layout: Layout, nodes: Mapping[str, NodeInfo], measured: Measured
) -> float:
    """Return what a layout is predicted to reach, by what has been measured since."""
    problem = placement_problem(bundle, nodes, measured)
    placement = {**layout.placement, **_CAMERAS}
    return forecast(problem, placement, layout.priority).response_s


def placement_problem(
    bundle: Bundle, nodes: Mapping[str, NodeInfo], measured: Measured
) -> PlacementProblem:
    """Return the placement problem (docs/placement.md) for these nodes; seconds as measured, else guessed from MACs.

    Raises:
        ValueError: it has no solution for a reason that one sentence names.
    """
    devices = [
        Device(
            node,
            info.memory_bytes,
            info.links.uplink_bytes_per_s,
            info.links.downlink_bytes_per_s,
            info.links.latency_s,
        )
        for node, info in nodes.items()
    ]

    def seconds(part: BundlePartition, node: str) -> float:
        info = nodes[node]
        guessed = part.macs / info.macs_per_s + RUN_OVERHEAD_S
        return measured.get((info.hardware, part.sha256), guessed)

    sizes = {tensor.id: tensor.bytes for tensor in bundle.tensors}
    (answer,) = next(part.outputs for part in bundle.partitions if part.id == bundle.fusion.id)
    return fog_problem(
        devices,
        bundle.partitions,
        sizes,
        picture=bundle.input.name,
        answer=answer,
        seconds=seconds,
    )


def patience_s(response_s: float) -> float:
    """Return how long a fusion waits for a branch: some times the predicted response of a frame."""
    return min(_PATIENCE_MOST_S, max(_PATIENCE_LEAST_S, _PATIENCE_FACTOR * response_s))


def assignments(
    deployment: str,
    epoch: int,
    phase: Phase,
    bundle: Bundle,
    layout: Layout,
) -> dict[str, Assignment]:
    """Return what each fog node of the placement is told."""
    placement = layout.placement
    makers = {name: placement[p.id] for p in bundle.partitions for name in p.outputs}
    consumers = {
        tensor.id: {placement[p.id] for p in bundle.partitions if tensor.id in p.inputs}
        for tensor in bundle.tensors
    }
    told: dict[str, Assignment] = {}
    for node in sorted(set(placement.values())):
        here = [part for part in bundle.partitions if placement[part.id] == node]
        made = {name for part in here for name in part.outputs}
        taken = {name for part in here for name in part.inputs}
        told[node] = Assignment(
            deployment=deployment,
            epoch=epoch,
            phase=phase,
            classes=bundle.classes,
            input=InputSpec.model_validate(bundle.input.model_dump()),
            partitions=tuple(
                AssignedPartition(
                    id=part.id,
                    sha256=part.sha256,
                    bytes=part.bytes,
                    memory_bytes=part.memory_bytes,
                    inputs=part.inputs,
                    outputs=part.outputs,
                    priority=layout.priority[part.id],
                    fusion=AssignedFusion(
                        min_inputs=bundle.fusion.min_inputs,
                        patience_s=patience_s(layout.response_s),
                    )
                    if part.id == bundle.fusion.id
                    else None,
                )
                for part in here
            ),
            inputs=tuple(
                AssignedInput(**tensor.model_dump(), node=makers.get(tensor.id, ""))
                for tensor in bundle.tensors
                if tensor.id in taken - made
            ),
            outputs=tuple(
                tensor.id
                for tensor in bundle.tensors
                if tensor.id in made and consumers[tensor.id] - {node}
            ),
        )
    return told
