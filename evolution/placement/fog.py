"""From the partitions of a network to its placement problem on a fog, live or planned.

The camera makes the frame and hears the answer: two pinned partitions of zero seconds, on a device
of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final, Protocol, TypeVar

from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor

CAMERA: Final = "@camera"
"""The pinned partition that makes the frames, and its device; no id of a fog node looks like it."""

ANSWER: Final = "@answer"
"""The pinned partition that hears the answer, on the camera's device."""

HOP_BYTES: Final = 100
"""What an answer tells of each partition on its way."""

RUN_OVERHEAD_S: Final = 200e-6
"""What a run costs beside its MACs (queues, threads, messages): a first guess until it is measured."""


class Piece(Protocol):
    """What a placement has to know of a partition, beside its seconds."""

    @property
    def id(self) -> str:
        """Return its name."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Return what a device needs to run it."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the ids of the tensors it takes."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return the ids of the tensors it makes."""
        ...


P = TypeVar("P", bound=Piece)


def camera_beside(devices: Sequence[Device]) -> Device:
    """Return the device of a camera on a site with these fog nodes.

    Its own link is not known; the middle of theirs is the best guess, and it is the same for every
    placement anyway.
    """
    return Device(
        CAMERA,
        0,
        median(device.uplink_bytes_per_s for device in devices),
        median(device.downlink_bytes_per_s for device in devices),
        median(device.latency_s for device in devices),
    )


def fog_problem(
    devices: Sequence[Device],
    pieces: Sequence[P],
    tensor_bytes: Mapping[str, int],
    *,
    picture: str,
    answer: str,
    seconds: Callable[[P, str], float],
    camera: Device | None = None,
    held: Callable[[P], tuple[str, ...]] = lambda _: (),
) -> PlacementProblem:
    """Return the problem of placing these pieces on these devices, the camera beside them.

    `tensor_bytes` has the size of every tensor (but for the answer's), `picture` and `answer` are the ids of the
    camera's and of the fusion's, `seconds` says how long a piece takes on a device (by id), `held` which devices hold it
    already. The camera's device is guessed unless it is given. Raises ValueError when there is no solution.
    """
    if not devices:
        raise ValueError("devices: no fog node is online.")
    camera = camera or camera_beside(devices)
    partitions = [
        Partition(
            piece.id,
            piece.memory_bytes,
            {device.id: seconds(piece, device.id) for device in devices},
            held=held(piece),
        )
        for piece in pieces
    ]
    makers = {name: piece.id for piece in pieces for name in piece.outputs}
    makers[picture] = CAMERA
    # The logits stay where they are: what travels is the answer, a message.
    sizes = {**tensor_bytes, answer: HOP_BYTES * len(pieces)}
    consumers: dict[str, list[str]] = {tensor: [] for tensor in sizes}
    for piece in pieces:
        for tensor in dict.fromkeys(piece.inputs):
            consumers[tensor].append(piece.id)
    consumers[answer].append(ANSWER)
    return PlacementProblem(
        devices=(*devices, camera),
        partitions=(
            *partitions,
            Partition(CAMERA, 0, {CAMERA: 0.0}),
            Partition(ANSWER, 0, {CAMERA: 0.0}),
        ),
        tensors=tuple(
            Tensor(tensor, size, makers[tensor], tuple(consumers[tensor]))
            for tensor, size in sizes.items()
            if consumers[tensor]
        ),
        pinned={CAMERA: CAMERA, ANSWER: CAMERA},
    )
