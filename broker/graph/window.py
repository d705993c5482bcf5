"""Operators that slide a window over a picture: how large what comes out is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from broker.graph.onnx_file import GraphError, Shape

MOST_SIDE: Final = 1024
"""Of a kernel, a stride, a dilation or a padding: no picture here is larger."""


@dataclass(frozen=True, slots=True)
class Window:
    """A kernel and how it moves, one number for each spatial axis; ``pads`` begin and end."""

    kernel: Shape
    strides: Shape
    dilations: Shape
    pads: tuple[tuple[int, int], ...]

    def slide(self, sizes: Shape) -> Shape:
        """Return the spatial sizes that come out of these.

        Raises:
            GraphError: the kernel does not fit in.
        """
        return tuple(self._slide(axis, size) for axis, size in enumerate(sizes))

    def _slide(self, axis: int, size: int) -> int:
        reach = self.dilations[axis] * (self.kernel[axis] - 1) + 1
        room = size + sum(self.pads[axis]) - reach
        if room < 0:
            raise GraphError(f"a window of {reach} does not fit into {size}")
        return room // self.strides[axis] + 1


def window(kind: str, attributes: Mapping[str, Any], kernel: Shape, sizes: Shape) -> Window:
    """Return the window of an operator over ``sizes``, by the attributes that Conv and pools share.

    Raises:
        GraphError: an attribute is out of bounds.
    """
    axes = len(sizes)
    strides = _numbers(kind, attributes, "strides", (1,) * axes, least=1)
    dilations = _numbers(kind, attributes, "dilations", (1,) * axes, least=1)
    _check(kind, "kernel_shape", kernel, axes, least=1)
    how = attributes.get("auto_pad", "NOTSET")
    if how == "NOTSET":
        flat = _numbers(kind, attributes, "pads", (0,) * 2 * axes, least=0)
        pads = tuple(zip(flat[:axes], flat[axes:], strict=True))
    elif how == "VALID":
        pads = ((0, 0),) * axes
    elif how in ("SAME_UPPER", "SAME_LOWER"):
        reaches = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
        pads = tuple(
            _same(size, reach, stride, lower=how == "SAME_LOWER")
            for size, reach, stride in zip(sizes, reaches, strides, strict=True)
        )
    else:
        raise GraphError(f"{kind}: auto_pad {how!r} is not known")
    if attributes.get("ceil_mode", 0) != 0:
        # Which windows it leaves out at the edge differs by operator set, and by who reads it.
        raise GraphError(f"{kind}: ceil_mode is not known here")
    return Window(kernel, strides, dilations, pads)


def _same(size: int, reach: int, stride: int, *, lower: bool) -> tuple[int, int]:
    """Return the padding with which ``size / stride`` comes out, rounded up."""
    steps = -(-size // stride)
    total = max(0, (steps - 1) * stride + reach - size)
    half = total // 2
    return (total - half, half) if lower else (half, total - half)


def _numbers(
    kind: str, attributes: Mapping[str, Any], name: str, default: Shape, least: int
) -> Shape:
    numbers = attributes.get(name, default)
    _check(kind, name, numbers, len(default), least)
    return tuple(numbers)


def _check(kind: str, name: str, numbers: Any, count: int, least: int) -> None:
    if (
        not isinstance(numbers, tuple)
        or len(numbers) != count
        or any(not isinstance(n, int) or not least <= n <= MOST_SIDE for n in numbers)
    ):
        raise GraphError(f"{kind}: {name} is not {count} numbers from {least} to {MOST_SIDE}")
