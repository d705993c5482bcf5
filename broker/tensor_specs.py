"""What tensors are: as they travel, as the network takes them, and who makes them."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from broker.payload import Payload
from broker.ranges import MOST_ENTRIES, Name, OptionalId, PictureShape, Pixel, Shape, Size

_LEAST_STD: Final = 1e-9
_PerChannel = Annotated[tuple[Pixel, ...], Field(max_length=MOST_ENTRIES)]


class TensorSpec(Payload):
    """A tensor as it travels."""

    id: Name
    shape: Shape
    dtype: Name
    bytes: Size


class InputSpec(Payload):
    """What the network takes: a picture p in [0, 1] as ``(p - mean) / std``.

    The shape is (1, C, H, W), with one mean and one standard deviation per channel.
    """

    name: Name
    shape: PictureShape
    dtype: Name
    mean: _PerChannel
    std: _PerChannel

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
