"""From a layout to what each fog node is told; pure."""

from typing import Final

from broker.calibration import Calibration
from broker.messages import AssignedFusion, AssignedPartition, Assignment, Phase
from broker.tensor_specs import AssignedInput, InputSpec
from coordinator.fog.layout import Layout
from models.bundle import Bundle, BundlePartition

_PATIENCE_FACTOR: Final = 5.0
_PATIENCE_LEAST_S, _PATIENCE_MOST_S = 0.15, 2.0


def patience_s(response_s: float) -> float:
    """Return how long a fusion waits for a silent branch: some times the predicted response of a frame."""
    return min(_PATIENCE_MOST_S, max(_PATIENCE_LEAST_S, _PATIENCE_FACTOR * response_s))


def assignments(
    deployment: str, epoch: int, phase: Phase, bundle: Bundle, layout: Layout
) -> dict[str, Assignment]:
    """Return what each fog node of the layout is told; the standby runs the fusion too."""
    placement, fusion = layout.placement, bundle.fusion.id
    runs: dict[str, list[BundlePartition]] = {node: [] for node in sorted(set(placement.values()))}
    for part in bundle.partitions:
        runs[placement[part.id]].append(part)
        if part.id == fusion and layout.standby:
            runs.setdefault(layout.standby, []).append(part)
    makers = {name: placement[part.id] for part in bundle.partitions for name in part.outputs}
    consumers: dict[str, set[str]] = {tensor.id: set() for tensor in bundle.tensors}
    for node, parts in runs.items():
        for part in parts:
            for name in part.inputs:
                consumers[name].add(node)

    def assigned(part: BundlePartition, node: str) -> AssignedPartition:
        waits = AssignedFusion(
            min_inputs=bundle.fusion.min_inputs,
            patience_s=patience_s(layout.response_s),
            first="" if node == placement[fusion] else placement[fusion],
        )
        return AssignedPartition(
            id=part.id,
            sha256=part.sha256,
            bytes=part.bytes,
            memory_bytes=part.memory_bytes,
            inputs=part.inputs,
            outputs=part.outputs,
            priority=layout.priority[part.id],
            fusion=waits if part.id == fusion else None,
        )

    assigned_to: dict[str, Assignment] = {}
    for node, parts in runs.items():
        made = {name for part in parts for name in part.outputs if makers[name] == node}
        taken = {name for part in parts for name in part.inputs}
        assigned_to[node] = Assignment(
            deployment=deployment,
            epoch=epoch,
            phase=phase,
            classes=bundle.classes,
            input=InputSpec.model_validate(bundle.input.model_dump()),
            calibration=Calibration.model_validate(bundle.calibration.model_dump()),
            partitions=tuple(assigned(part, node) for part in parts),
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
    return assigned_to
