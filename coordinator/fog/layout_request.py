"""What is asked of a layout: a bundle, the fog nodes, and what is known of both; pure and picklable."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from broker.messages import NodeInfo
from coordinator.fog.held import Held, free_bytes
from coordinator.fog.taken import NOTHING, Taken
from evolution.placement.fog import HOP_BYTES, RUN_OVERHEAD_S, camera_beside, fog_problem
from evolution.placement.problem import Device, PlacementProblem
from evolution.placement.shared import Cameras, Neighbour
from models.bundle import Bundle, BundlePartition

Measured = Mapping[tuple[str, str], float]
"""Seconds of a run, by hardware or fog node, and sha256."""

CAMERA_HEADROOM: Final = 2.0
"""The cameras' links bear this times the rate that is served: the frames do come."""


@dataclass(frozen=True, slots=True)
class LayoutRequest:
    """Everything that decides where a bundle goes; what does not concern it is left out.

    So two requests are equal when they ask the same, and the same request gives the same layout.

    `node_seconds` are by (node, sha256) and outweigh `hardware_seconds` by (hardware, sha256); what
    neither has is guessed from MACs. `frames_per_s` is what the layout has to keep up with, None
    for a single frame on an idle fog. `taken` is what other deployments use of a node, `held` the
    artifacts in its memory that stay there. `cameras` are those whose frames are answered now, and
    `neighbours` the other deployments': what 95 % of the frames keep to is predicted for them.

    Raises:
        ValueError: the rate or some seconds are out of range.
    """

    bundle: Bundle
    nodes: Mapping[str, NodeInfo]
    hardware_seconds: Measured = field(default_factory=dict)
    node_seconds: Measured = field(default_factory=dict)
    frames_per_s: float | None = None
    taken: Mapping[str, Taken] = field(default_factory=dict)
    held: Held = field(default_factory=dict)
    cameras: Cameras | None = None
    neighbours: tuple[Neighbour, ...] = ()

    def __post_init__(self) -> None:
        if self.frames_per_s is not None and not 0 < self.frames_per_s < math.inf:
            raise ValueError(
                f"frames_per_s: {self.frames_per_s} is not a number of frames per second."
            )
        hashes = {part.sha256 for part in self.bundle.partitions}
        hardware = {info.hardware for info in self.nodes.values()}
        # Copies: the caller goes on measuring while this waits.
        kept = {
            "nodes": {node: self.nodes[node] for node in sorted(self.nodes)},
            "hardware_seconds": _about(self.hardware_seconds, hardware, hashes),
            "node_seconds": _about(self.node_seconds, self.nodes.keys(), hashes),
            "taken": {
                node: taken
                for node, taken in sorted(self.taken.items())
                if node in self.nodes and taken != NOTHING
            },
            "held": {
                node: dict(sorted(artifacts.items()))
                for node, artifacts in sorted(self.held.items())
                if node in self.nodes and artifacts
            },
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    def seconds(self, part: BundlePartition, node: str) -> float:
        """Return how long a partition takes on a node that has nothing else to do."""
        own = self.node_seconds.get((node, part.sha256))
        return self.usual_s(part, node) if own is None else own

    def usual_s(self, part: BundlePartition, node: str) -> float:
        """Return how long a partition takes on a node's hardware, whatever is wrong with this one."""
        info = self.nodes[node]
        guessed = part.macs / info.macs_per_s + RUN_OVERHEAD_S
        return self.hardware_seconds.get((info.hardware, part.sha256), guessed)

    def taken_on(self, node: str) -> Taken:
        """Return what others take of a node."""
        return self.taken.get(node, NOTHING)

    def uninterrupted(self) -> "LayoutRequest":
        """Return the same request with processors that nobody else computes on."""
        links = {node: replace(taken, processor=0.0) for node, taken in self.taken.items()}
        return replace(self, taken=links)

    def alone(self) -> "LayoutRequest":
        """Return the same request on a fog that nothing else uses."""
        return LayoutRequest(
            self.bundle,
            self.nodes,
            self.hardware_seconds,
            self.node_seconds,
            self.frames_per_s,
        )


def placement_problem(request: LayoutRequest, *, memory: bool = True) -> PlacementProblem:
    """Return the placement problem (docs/placement.md) of a request; `memory=False` counts none.

    What others take is taken off: a run takes seconds / (1 - their share of the processor), a link
    has less bytes per second, memory less bytes.

    Raises:
        ValueError: it has no solution for a reason that one sentence names.
    """
    bundle = request.bundle
    whole = [
        Device(
            node,
            free_bytes(info.memory_bytes, request.held.get(node, {})),
            info.links.uplink_bytes_per_s,
            info.links.downlink_bytes_per_s,
            info.links.latency_s,
        )
        for node, info in request.nodes.items()
    ]
    holders = {
        part.sha256: tuple(
            node for node, artifacts in request.held.items() if part.sha256 in artifacts
        )
        for part in bundle.partitions
    }
    (answer,) = next(part.outputs for part in bundle.partitions if part.id == bundle.fusion.id)
    return fog_problem(
        [request.taken_on(device.id).left(device) for device in whole],
        bundle.partitions
        if memory
        else [part.model_copy(update={"memory_bytes": 0}) for part in bundle.partitions],
        {tensor.id: tensor.bytes for tensor in bundle.tensors},
        picture=bundle.input.name,
        answer=answer,
        seconds=lambda part, node: request.taken_on(node).seconds(request.seconds(part, node)),
        camera=_cameras(request, whole) if whole else None,
        held=lambda part: holders[part.sha256],
    )


def _cameras(request: LayoutRequest, whole: Sequence[Device]) -> Device:
    """Return the device of the cameras, whose links are their own whatever the nodes' are used for.

    A guess too low would hide every node that is too slow, since the busiest resource counts.
    """
    camera = camera_beside(whole)
    if request.frames_per_s is None:
        return camera
    bundle, least = request.bundle, CAMERA_HEADROOM * request.frames_per_s
    picture = next(tensor.bytes for tensor in bundle.tensors if tensor.id == bundle.input.name)
    answer = HOP_BYTES * len(bundle.partitions)
    return replace(
        camera,
        uplink_bytes_per_s=max(camera.uplink_bytes_per_s, least * picture),
        downlink_bytes_per_s=max(camera.downlink_bytes_per_s, least * answer),
    )


def _about(measured: Measured, names: Container[str], hashes: Container[str]) -> Measured:
    """Return the seconds of these nodes or hardwares and artifacts, in order."""
    kept = {
        key: value
        for key, value in sorted(measured.items())
        if key[0] in names and key[1] in hashes
    }
    for (name, sha256), value in kept.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"seconds of {sha256[:12]} on {name}: {value} is not a number.")
    return kept
