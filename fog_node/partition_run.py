"""One partition on one frame, ready for the processor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from broker.frame import FrameHeader, FrameTensor, joined
from broker.messages import AssignedPartition

RunKey = tuple[str, int, str, int, str]
"""Deployment, epoch, camera, frame id and partition."""


@dataclass(frozen=True, slots=True)
class PartitionRun:
    """One partition to run on one frame.

    ``inputs`` by tensor, each of the shape of its TensorSpec; those in ``missing`` count as zeros.
    ``ready_at`` is when all of them were there, monotonic seconds.
    """

    header: FrameHeader
    partition: AssignedPartition
    inputs: dict[str, NDArray[Any]]
    missing: tuple[str, ...]
    ready_at: float

    @classmethod
    def of(
        cls,
        part: AssignedPartition,
        tensors: Mapping[str, FrameTensor],
        missing: tuple[str, ...],
        now: float,
    ) -> "PartitionRun":
        """Return the run of a partition on the tensors of one frame."""
        header = joined(tensor.header for tensor in tensors.values())
        inputs = {name: tensor.data for name, tensor in tensors.items()}
        return cls(header, part, inputs, missing, now)

    @property
    def key(self) -> RunKey:
        """What is run on which frame; a frame that is sent again has the same."""
        header = self.header
        return (
            header.deployment,
            header.epoch,
            header.camera,
            header.frame_id,
            self.partition.id,
        )
