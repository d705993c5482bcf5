"""How soon a network would answer on the devices at hand, from its genome alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from coordinator.search.devices import FogDevice
from evolution.cost import (
    FLOAT_BYTES,
    NetworkShape,
    partition_macs,
    partition_parameters,
    stage_output_bytes,
)
from evolution.genome import Genome
from evolution.placement.fog import RUN_OVERHEAD_S, fog_problem
from evolution.placement.genetic import place
from evolution.placement.problem import PlacementProblem
from models.export import cut
from models.graph import SESSION_BYTES, WEIGHT_COPIES
from models.ids import INPUT, LOGITS

PLACEMENT_MOVES: Final = 4000
"""Moves of local search for a placement: some milliseconds, and the optimum nearly always."""

NO_ROOM_FACTOR: Final = 10.0
"""How many times slower a network counts that does not fit in the devices' memory: a finite number,
so that networks which nearly fit still rank before those which never will."""


@dataclass(frozen=True, slots=True)
class PlannedPartition:
    """A partition that has not been trained yet, as the placement sees it."""

    id: str
    memory_bytes: int
    macs: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class PredictedResponse:
    """The response time of genomes on devices, each distinct network placed once.

    The same devices and shape give the same seconds, in every process.
    """

    def __init__(self, devices: Sequence[FogDevice], shape: NetworkShape) -> None:
        self._devices, self._shape = tuple(devices), shape
        self._known: dict[Genome, float] = {}

    def __call__(self, genome: Genome) -> float:
        """Return seconds from the frame to its answer, on an idle fog, with the best placement found."""
        network = genome.canonical()
        if network not in self._known:
            self._known[network] = self._placed(network)
        return self._known[network]

    def fits(self, genome: Genome) -> bool:
        """Tell whether the devices have the memory for a network."""
        try:
            place(self.problem(genome.canonical()), budget=1)
        except ValueError:
            return False
        return True

    def _placed(self, genome: Genome) -> float:
        try:
            return place(self.problem(genome), budget=PLACEMENT_MOVES).response_s
        except ValueError:  # memory is too short
            roomy = self.problem(genome, check_memory=False)
            return NO_ROOM_FACTOR * place(roomy, budget=PLACEMENT_MOVES).response_s

    def problem(self, genome: Genome, *, check_memory: bool = True) -> PlacementProblem:
        """Return the placement problem of a genome, as `deploy` would pose it for the bundle.

        Seconds are MACs over the device's speed and a small overhead. Raises ValueError when a
        partition fits no device.
        """
        speed = {device.id: device.macs_per_s for device in self._devices}
        pieces = planned_partitions(genome, self._shape)
        if not check_memory:
            pieces = tuple(replace(piece, memory_bytes=0) for piece in pieces)
        return fog_problem(
            [device.device for device in self._devices],
            pieces,
            _tensor_bytes(genome, self._shape),
            picture=INPUT,
            answer=LOGITS,
            seconds=lambda piece, device: piece.macs / speed[device] + RUN_OVERHEAD_S,
        )


def planned_partitions(genome: Genome, shape: NetworkShape) -> tuple[PlannedPartition, ...]:
    """Return the partitions that the network will be cut into, with their MACs and memory in bytes."""
    macs, weights = partition_macs(genome, shape), partition_parameters(genome, shape)
    sizes = _tensor_bytes(genome, shape)
    planned = []
    for part in cut(genome):
        memory = SESSION_BYTES + FLOAT_BYTES * sum(
            sizes[name] // FLOAT_BYTES if name != INPUT else sizes[name] for name in part.inputs
        )
        if part.branch is None or part.stage is None:
            work = 0
            memory += (
                2 * WEIGHT_COPIES * FLOAT_BYTES * shape.classes
            )  # the bias, the sum, and the sum with it
        else:
            at = part.branch, part.stage
            work = macs[at]
            memory += WEIGHT_COPIES * FLOAT_BYTES * weights[at] + _maps_bytes(genome, shape, *at)
        planned.append(PlannedPartition(part.id, memory, work, part.inputs, part.outputs))
    return tuple(planned)


def _maps_bytes(genome: Genome, shape: NetworkShape, branch: int, stage: int) -> int:
    """Bound the feature maps alive at once: no more than the nodes with an edge, and three beside."""
    height, width = shape.size(stage)
    channels = shape.channels[genome.width(branch)][stage]
    return (
        FLOAT_BYTES * channels * height * width * (len(genome.branches[branch][stage].active) + 3)
    )


def _tensor_bytes(genome: Genome, shape: NetworkShape) -> dict[str, int]:
    """Return the bytes of every tensor on the wire: the picture travels as bytes, the rest as float32."""
    channels, height, width = shape.input
    handed = stage_output_bytes(genome, shape)
    sizes = {INPUT: channels * height * width}
    for part in cut(genome):
        if part.branch is not None and part.stage is not None:
            sizes[part.outputs[0]] = handed[part.branch, part.stage]
    return sizes
