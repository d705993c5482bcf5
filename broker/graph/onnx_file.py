"""An ONNX file as plain values: operators, tensors and shapes, and nothing that a CNN does without.

What it may consist of is in `broker.graph.onnx_fields`; the rest of what one can say in ONNX is refused.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from broker.graph.onnx_fields import MODEL
from broker.graph.wire import Message, WireError, read_message
from broker.printable import printable

Shape = tuple[int, ...]

FLOAT: Final = 1
"""TensorProto.DataType of 32-bit floating point, the only one that is computed with."""
INT64: Final = 7
"""TensorProto.DataType of the shapes and axes that some operators take."""

MOST_NODES: Final = 2_000
MOST_TENSORS: Final = 8_000
MOST_RANK: Final = 6
MOST_ELEMENTS: Final = 2**28
MOST_INTEGERS: Final = 64
"""In a constant of integers: it is a shape or a list of axes."""
_MOST_REASON: Final = 299
_IR_VERSIONS: Final = range(4, 12)
_OPSETS: Final = range(13, 23)
_FLATBUFFER: Final = b"ORTM"
"""By these bytes, the fifth to the eighth, onnxruntime knows a file of its own format."""
_ATTRIBUTE_TYPES: Final = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints"}


class GraphError(ValueError):
    """An ONNX file is none that a fog node runs, in one line; names in it are the stranger's."""

    def __init__(self, reason: str) -> None:
        super().__init__(printable(reason, None)[:_MOST_REASON])


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant: float32 of ``shape``, of which only the size matters, or a few ``integers``."""

    name: str
    shape: Shape
    integers: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Operator:
    """One node of the graph; an input that is left out is an empty name."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A graph in which every shape that is declared is fixed; ``described`` are those in between."""

    opset: int
    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    described: dict[str, Shape]
    constants: tuple[Tensor, ...]
    operators: tuple[Operator, ...]


def read_onnx(data: bytes) -> OnnxFile:
    """Return what is in an ONNX file.

    Raises:
        GraphError: it is none, or has something that a fog node does not run.
    """
    if data[4:8] == _FLATBUFFER:
        raise GraphError("not an ONNX model: it may be taken for one of onnxruntime's own format")
    try:
        model = read_message(data, MODEL)
        return _file(model)
    except WireError as error:
        raise GraphError(f"not an ONNX model of a fog node: {error}") from None


def _file(model: Message) -> OnnxFile:
    if "graph" not in model:
        raise GraphError("not an ONNX model: there is no graph")
    if model.get("ir_version") not in _IR_VERSIONS:
        raise GraphError(
            f"IR version {model.get('ir_version')} is not one of {_said(_IR_VERSIONS)}"
        )
    opset = _opset(model.get("opset_import", []))
    graph = model["graph"]
    nodes, tensors = graph.get("node", []), graph.get("initializer", [])
    if len(nodes) > MOST_NODES:
        raise GraphError(f"{len(nodes)} operators are more than {MOST_NODES}")
    if len(tensors) > MOST_TENSORS:
        raise GraphError(f"{len(tensors)} constants are more than {MOST_TENSORS}")
    return OnnxFile(
        opset,
        _values("input", graph.get("input", [])),
        _values("output", graph.get("output", [])),
        _values("value", graph.get("value_info", [])),
        tuple(_tensor(tensor) for tensor in tensors),
        tuple(_operator(node) for node in nodes),
    )


def _said(versions: range) -> str:
    return f"{versions[0]} to {versions[-1]}"


def _opset(imports: list[Message]) -> int:
    if len(imports) != 1 or imports[0].get("domain", "") not in ("", "ai.onnx"):
        domains = sorted({each.get("domain", "") or "ai.onnx" for each in imports})
        raise GraphError(f"operators of {', '.join(domains) or 'no domain'}, not of ai.onnx alone")
    opset: int = imports[0].get("version", 0)
    if opset not in _OPSETS:
        raise GraphError(f"operator set {opset} is not one of {_said(_OPSETS)}")
    return opset


def _values(what: str, values: list[Message]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for value in values:
        name = value.get("name", "")
        if name in shapes:
            raise GraphError(f"{what} {name!r} stands twice")
        shapes[name] = _shape(f"{what} {name!r}", value.get("type", {}))
    return shapes


def _shape(whose: str, kind: Message) -> Shape:
    tensor = kind.get("tensor_type", {})
    if tensor.get("elem_type") != FLOAT:
        raise GraphError(f"{whose} is no tensor of float32")
    if "shape" not in tensor:
        raise GraphError(f"{whose} has no fixed shape")
    dims = tensor["shape"].get("dim", [])
    if any("dim_value" not in dim or dim.get("dim_param") for dim in dims):
        raise GraphError(f"{whose} has no fixed shape")
    return checked_shape(whose, tuple(dim["dim_value"] for dim in dims))


def checked_shape(whose: str, shape: Shape) -> Shape:
    """Return a shape that a tensor here may have.

    Raises:
        GraphError: it is empty somewhere, or too large.
    """
    if len(shape) > MOST_RANK or any(not 1 <= size <= MOST_ELEMENTS for size in shape):
        raise GraphError(f"{whose} has a shape out of bounds, {_short(shape)}")
    if math.prod(shape) > MOST_ELEMENTS:
        raise GraphError(f"{whose} has more than {MOST_ELEMENTS} elements, {_short(shape)}")
    return shape


def _short(shape: Shape) -> str:
    return "x".join(str(size)[:20] for size in shape[: MOST_RANK + 1])


def _tensor(tensor: Message) -> Tensor:
    name = tensor.get("name", "")
    whose = f"constant {name!r}"
    if tensor.get("data_location", 0) != 0:
        raise GraphError(f"{whose} lies outside of the file")
    shape = checked_shape(whose, tuple(tensor.get("dims", ())))
    kind, elements = tensor.get("data_type"), math.prod(shape)
    if kind not in (FLOAT, INT64):
        raise GraphError(f"{whose} is of data type {kind}, neither float32 nor int64")
    item, typed = (4, "float_data") if kind == FLOAT else (8, "int64_data")
    if len(tensor.keys() & {"raw_data", "float_data", "int64_data"}) != 1 or not (
        tensor.keys() & {"raw_data", typed}
    ):
        raise GraphError(f"{whose} has not one set of values of its type")
    if kind == INT64:
        if elements > MOST_INTEGERS:
            raise GraphError(f"{whose} has {elements} integers")
        raw = tensor.get("raw_data")
        integers = tensor.get("int64_data") if raw is None else _integers(raw)
        if integers is None or len(integers) != elements:
            raise GraphError(f"{whose} has not the values of its shape {_short(shape)}")
        return Tensor(name, shape, tuple(integers))
    values = tensor["raw_data"] if "raw_data" in tensor else tensor["float_data"]
    if len(values) != elements * item:
        raise GraphError(f"{whose} has not the values of its shape {_short(shape)}")
    if not np.isfinite(np.frombuffer(values, "<f4")).all():
        raise GraphError(f"{whose} has values that are no numbers")
    return Tensor(name, shape, None)


def _integers(raw: memoryview) -> list[int] | None:
    return None if len(raw) % 8 else [int(each) for each in np.frombuffer(raw, "<i8")]


def _operator(node: Message) -> Operator:
    kind = node.get("op_type", "")
    if node.get("domain", "") not in ("", "ai.onnx") or node.get("overload"):
        raise GraphError(f"operator {node.get('domain', '')}.{kind} is not one of ai.onnx")
    attributes: dict[str, Any] = {}
    for attribute in node.get("attribute", []):
        name = attribute.get("name", "")
        if name in attributes:
            raise GraphError(f"attribute {name!r} of {kind} stands twice")
        attributes[name] = _attribute(f"attribute {name!r} of {kind}", attribute)
    return Operator(kind, tuple(node.get("input", ())), tuple(node.get("output", ())), attributes)


def _attribute(whose: str, attribute: Message) -> Any:
    field = _ATTRIBUTE_TYPES.get(attribute.get("type", 0))
    if field is None or attribute.keys() - {"name", "type", field}:
        raise GraphError(f"{whose} is not of one type that is known here")
    if field in ("floats", "ints"):
        return tuple(attribute.get(field, ()))
    value = attribute.get(field, {"i": 0, "f": 0.0, "s": "", "t": {}}[field])
    return _tensor(value) if field == "t" else value
