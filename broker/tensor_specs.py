"""What tensors are: as they travel, as the network takes them, and who makes them."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from broker.payload import Payload
from broker.ranges import MOST_ENTRIES, Name, OptionalId, PictureShape, Pixel, Shape, Share, Size

_LEAST_STD: Final = 1e-9
_LEAST_CROP: Final = 1e-3
_PerChannel = Annotated[tuple[Pixel, ...], Field(max_length=MOST_ENTRIES)]


def _within(crop: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, width, height = crop
    if min(width, height) < _LEAST_CROP or max(left + width, top + height) > 1 + 1e-9:
        raise ValueError("no zone of the picture: left, top, width, height as shares of it")
    return crop


class TensorSpec(Payload):
    """A tensor as it travels."""

    id: Name
    shape: Shape
    dtype: Name
    bytes: Size


class InputSpec(Payload):
    """What the network takes: a picture p in [0, 1] as ``(p - mean) / std``.

    The shape is (1, C, H, W), with one mean and one standard deviation per channel. ``crop`` is the
    zone of the camera's picture that the network sees (left, top, width and height, shares of the
    picture; None: all of it), ``fit`` how the zone fills the shape.
    """

    name: Name
    shape: PictureShape
    dtype: Name
    mean: _PerChannel
    std: _PerChannel
    crop: Annotated[tuple[Share, Share, Share, Share], AfterValidator(_within)] | None = None
    fit: Literal["stretch", "pad", "cover"] = "stretch"

    @model_validator(mode="after")
    def _channels_agree(self) -> Self:
        if not self.shape[1] == len(self.mean) == len(self.std):
            raise ValueError(f"{self.shape[1]} channels need as many of mean and std")
        if any(abs(std) < _LEAST_STD for std in self.std):
            raise ValueError(f"std: a deviation of less than {_LEAST_STD:g} cannot be divided by")
        return self


class AssignedInput(TensorSpec):
    """A tensor that comes from the broker, and the fog node that makes it; empty: the cameras do."""

    node: OptionalId = ""
