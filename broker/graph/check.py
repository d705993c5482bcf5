"""Whether a fog node may run an ONNX file at all: said before onnxruntime sees a byte of it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.graph.call import Call
from broker.graph.onnx_file import (
    GraphError,
    OnnxFile,
    Operator,
    Shape,
    Tensor,
    checked_shape,
    read_onnx,
)
from broker.graph.operators import effect

FLOAT_BYTES: Final = 4
MOST_FILE_BYTES: Final = 256 * 1024 * 1024
MOST_BESIDE_BYTES: Final = 2 * 1024 * 1024
"""What a file may hold beside its weights: names, shapes, and what its exporter noted."""
MOST_MACS: Final = 50 * 10**9
"""What no network for weak devices comes near: a whole ResNet-152 on a picture of 224x224 takes 11."""
TOLERANCE: Final = 2.0
SLACK_BYTES: Final = 4 * 1024 * 1024
"""What a graph is computed to need may be so much larger than what was stated of it: who states it
counts differently, and hardly matters below these bytes."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a graph takes, gives and costs: shapes by name, bytes at least, multiply-accumulates at most."""

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]
    memory_bytes: int
    macs: int


def check_graph(
    data: bytes, memory_bytes: int | None = None, most_macs: float = MOST_MACS
) -> Needs:
    """Return what a graph needs, where it may be run at all.

    ``memory_bytes`` is what was stated that it needs, ``most_macs`` what the device does in a time
    that makes sense.

    Raises:
        GraphError: it may not be run; one line says why.
    """
    if len(data) > MOST_FILE_BYTES:
        raise GraphError(f"{len(data)} bytes are more than {MOST_FILE_BYTES}")
    needs, weights = _needs(read_onnx(data))
    if len(data) > weights + MOST_BESIDE_BYTES:
        raise GraphError(f"{len(data) - weights} bytes stand beside its {weights} bytes of weights")
    if memory_bytes is not None and needs.memory_bytes > TOLERANCE * memory_bytes + SLACK_BYTES:
        raise GraphError(
            f"needs {needs.memory_bytes} bytes of memory, not the {memory_bytes} stated"
        )
    if needs.macs > min(most_macs, MOST_MACS):
        raise GraphError(
            f"needs {needs.macs:.3g} multiply-accumulates a frame, more than "
            f"{min(most_macs, MOST_MACS):.3g}"
        )
    return needs


def _needs(file: OnnxFile) -> tuple[Needs, int]:
    """Return what a graph needs, and the bytes of its weights."""
    known: dict[str, Shape] = {}
    integers: dict[str, tuple[int, ...]] = {}

    def define(name: str, shape: Shape, whose: str) -> None:
        if not name or name in known:
            raise GraphError(f"{whose} {name!r} is " + ("made twice" if name else "without a name"))
        known[name] = checked_shape(f"{whose} {name!r}", shape)

    for name, shape in file.inputs.items():
        define(name, shape, "input")
    for constant in file.constants:
        define(constant.name, constant.shape, "constant")
        if constant.integers is not None:
            integers[constant.name] = constant.integers
    weights = sum(math.prod(c.shape) for c in file.constants if c.integers is None) * FLOAT_BYTES
    macs, scratch = 0, []
    for operator in file.operators:
        if operator.kind == "Constant":
            constant = _constant(operator)
            define(constant.name, constant.shape, "constant")
            if constant.integers is not None:
                integers[constant.name] = constant.integers
            weights += math.prod(constant.shape) * FLOAT_BYTES
            scratch.append(0)
            continue
        done = effect(_call(operator, known, integers, file.opset))
        define(operator.outputs[0], done.shape, f"what {operator.kind} makes,")
        described = file.described.get(operator.outputs[0], done.shape)
        if described != done.shape:
            raise GraphError(f"{operator.outputs[0]!r} is {done.shape}, not {described}")
        macs += done.macs
        scratch.append(done.scratch_bytes)
    for name, shape in file.outputs.items():
        if name in integers or known.get(name) != shape:
            raise GraphError(f"output {name!r} is not made in the shape that is declared")
    if not file.inputs or not file.outputs:
        raise GraphError("it takes or gives nothing")
    needs = weights + _peak_bytes(file, known, scratch)
    return Needs(file.inputs, file.outputs, needs, macs), weights


def _constant(operator: Operator) -> Tensor:
    """Return the tensor that an operator Constant holds, under the name of its output."""
    value = operator.attributes.get("value")
    if operator.inputs or len(operator.outputs) != 1 or not isinstance(value, Tensor):
        raise GraphError("Constant: not one tensor")
    return Tensor(operator.outputs[0], value.shape, value.integers)


def _call(
    operator: Operator,
    known: Mapping[str, Shape],
    integers: Mapping[str, tuple[int, ...]],
    opset: int,
) -> Call:
    for name in operator.inputs:
        if name and name not in known:
            raise GraphError(f"{operator.kind} takes {name!r}, which nothing before it makes")
    return Call(
        operator,
        tuple(known.get(name) for name in operator.inputs),
        tuple(integers.get(name) for name in operator.inputs),
        opset,
    )


def _peak_bytes(file: OnnxFile, known: Mapping[str, Shape], scratch: list[int]) -> int:
    """Return the most bytes of tensors alive at once when the operators run in their order."""
    last = {name: at for at, each in enumerate(file.operators) for name in each.inputs}
    last |= dict.fromkeys(file.outputs, len(file.operators))
    dying: dict[int, list[str]] = {}
    for name, at in last.items():
        dying.setdefault(at, []).append(name)
    constants = {constant.name for constant in file.constants}
    size = {
        name: 0 if name in constants else math.prod(shape) * FLOAT_BYTES
        for name, shape in known.items()
    }
    alive = sum(size[name] for name in file.inputs)
    peak = alive
    for at, operator in enumerate(file.operators):
        alive += sum(size[name] for name in operator.outputs)
        peak = max(peak, alive + scratch[at])
        gone = {name for name in dying.get(at, ()) if name}
        gone |= {name for name in operator.outputs if name not in last}
        alive -= sum(size[name] for name in gone)
    return peak
