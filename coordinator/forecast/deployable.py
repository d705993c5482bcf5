"""Whether networks of a shape could be deployed at all: told before they are trained; pure."""

import math

from pydantic import TypeAdapter, ValidationError

from broker.ranges import MOST_TENSOR_BYTES
from coordinator.fog.requested import MOST_ARTIFACT_BYTES
from evolution.cost import FLOAT_BYTES, NetworkShape, parameters, stage_output_bytes
from evolution.genome import Genome
from models.bundle import Label

_LABEL: TypeAdapter[str] = TypeAdapter(Label)
MOST_CLASSES = 10_000


def check_frame(shape: tuple[int, int, int]) -> None:
    """Refuse pictures (C, H, W) that no message carries.

    Raises:
        ValueError: the sentence says which size would fit.
    """
    channels, height, width = shape
    frame = channels * height * width
    if frame > MOST_TENSOR_BYTES:
        longest = math.floor(max(height, width) * math.sqrt(MOST_TENSOR_BYTES / frame))
        raise ValueError(
            f"input.size: a frame of {width}x{height} has {frame:,} bytes, a message carries at most "
            f"{MOST_TENSOR_BYTES:,}; a longer side of {longest} or less fits"
        )


def check_deployable(densest: Genome, shape: NetworkShape, classes: tuple[str, ...]) -> None:
    """Refuse what no fog would take of the densest network of a space.

    Raises:
        ValueError: the sentence names the setting of a search file that has to change.
    """
    check_frame(shape.input)
    for (branch, stage), handed in stage_output_bytes(densest, shape).items():
        if handed > MOST_TENSOR_BYTES:
            raise ValueError(
                f"network.channels: stage {stage + 1} of branch {branch + 1} hands on {handed:,} bytes, "
                f"a message carries at most {MOST_TENSOR_BYTES:,}; take fewer channels or a smaller "
                "input.size"
            )
    weights = FLOAT_BYTES * parameters(densest, shape)
    if weights > MOST_ARTIFACT_BYTES:
        raise ValueError(
            f"network.channels: the weights of the densest network have {weights:,} bytes, at most "
            f"{MOST_ARTIFACT_BYTES:,} are deployed; take fewer channels"
        )
    if len(classes) > MOST_CLASSES:
        raise ValueError(
            f"dataset: {len(classes):,} classes; a bundle has at most {MOST_CLASSES:,}"
        )
    for name in classes:
        try:
            _LABEL.validate_python(name)
        except ValidationError:
            raise ValueError(
                f"dataset: class {name[:40]!r}: a bundle bears names of at most 256 characters without "
                "control characters; rename its folder"
            ) from None
