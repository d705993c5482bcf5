"""An operator about to be run: the shapes it is given, and what comes of it. Pure."""

from dataclasses import dataclass
from typing import Any

from broker.graph.onnx_file import GraphError, Operator, Shape


@dataclass(frozen=True, slots=True)
class Call:
    """An operator with the shapes of its inputs (None: left out) and the integers among them."""

    operator: Operator
    shapes: tuple[Shape | None, ...]
    integers: tuple[tuple[int, ...] | None, ...]
    opset: int

    def shape(self, index: int) -> Shape:
        """Return the shape of an input that has to be there, and is of float32."""
        shape = self.shapes[index] if index < len(self.shapes) else None
        if shape is None or self.integers[index] is not None:
            raise GraphError(f"{self.operator.kind}: input {index} is no tensor of float32")
        return shape

    def numbers(self, index: int) -> tuple[int, ...] | None:
        """Return the constant integers of an input, None where it is left out."""
        if index >= len(self.shapes) or self.shapes[index] is None:
            return None
        numbers = self.integers[index]
        if numbers is None:
            raise GraphError(f"{self.operator.kind}: input {index} is not constant")
        return numbers

    def get(self, name: str, default: Any) -> Any:
        """Return an attribute, of the type that its default has; a tuple is one of integers."""
        value = self.operator.attributes.get(name, default)
        whole = not isinstance(value, tuple) or all(isinstance(each, int) for each in value)
        if type(value) is not type(default) or not whole:
            raise GraphError(f"{self.operator.kind}: {name} is of a wrong type")
        return value


@dataclass(frozen=True, slots=True)
class Effect:
    """What comes out, the multiply-accumulates (or their like), and bytes needed only meanwhile."""

    shape: Shape
    macs: int
    scratch_bytes: int = 0


def axes(kind: str, axes: tuple[int, ...], rank: int) -> list[int]:
    """Return axes counted from the front.

    Raises:
        GraphError: there is no such axis, or one stands twice.
    """
    if any(not -rank <= axis < rank for axis in axes):
        raise GraphError(f"{kind}: axes {axes} of {rank}")
    counted = [axis % rank for axis in axes]
    if len(set(counted)) < len(counted):
        raise GraphError(f"{kind}: axes {axes} stand twice")
    return counted
