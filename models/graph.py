"""What an ONNX model says of itself: its inputs and outputs, the memory it needs, where its weights lie."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

FLOAT_BYTES = 4

WEIGHT_COPIES = 2
"""onnxruntime keeps the weights once as loaded and once packed for its kernels."""

SESSION_BYTES = 512 * 1024
"""What one more session costs beside weights and activations: operators, plans, first arena chunks.

Measured with onnxruntime 1.32 on x86, resident memory after a run: partitions of 3 to 5 small
convolutions take 0.2 to 0.46 MB each, the fusion 0.1 to 0.2 MB. The first session of a process
takes 10 MB more, whatever it holds; that is the agent's, not the partition's.
"""


class GraphError(Exception):
    """A file is no ONNX model that a fog node may load, in one sentence."""


@dataclass(frozen=True, slots=True)
class Graph:
    """An ONNX model from the outside: shapes by name, and the bytes a fog node needs to run it."""

    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]
    memory_bytes: int


def inspect(serialised: bytes) -> Graph:
    """Read a serialised model; raises GraphError unless it is sound and holds all of its weights.

    External data is refused: a model that names other files makes its reader open them
    (CVE-2022-25882, CVE-2024-27318).
    """
    try:
        model = onnx.load_model_from_string(serialised)
    except DecodeError:
        raise GraphError("not an ONNX model") from None
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise GraphError(f"weights of {tensor.name!r} lie outside the model")
    try:
        onnx.checker.check_model(model)
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise GraphError(f"not a valid ONNX model ({str(error).splitlines()[0]})") from None
    inputs, outputs = _shapes(model.graph.input), _shapes(model.graph.output)
    weights = sum(math.prod(tensor.dims) for tensor in model.graph.initializer) * FLOAT_BYTES
    return Graph(
        inputs,
        outputs,
        WEIGHT_COPIES * weights + _peak_activation_bytes(model.graph) + SESSION_BYTES,
    )


def _shapes(values: Iterable[onnx.ValueInfoProto]) -> dict[str, tuple[int, ...]]:
    """Shapes by name; an unknown size counts as 0."""
    return {
        value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
        for value in values
    }


def _peak_activation_bytes(graph: onnx.GraphProto) -> int:
    """Most bytes of tensors alive at once when the nodes run in order, inputs and outputs included."""
    sizes = {
        name: math.prod(shape) * FLOAT_BYTES
        for name, shape in _shapes([*graph.input, *graph.value_info, *graph.output]).items()
    }
    last_use = {name: index for index, node in enumerate(graph.node) for name in node.input}
    last_use |= {value.name: len(graph.node) for value in graph.output}
    alive = {value.name for value in graph.input}
    peak = 0
    for index, node in enumerate(graph.node):
        alive |= set(node.output)
        peak = max(peak, sum(sizes.get(name, 0) for name in alive))
        alive = {name for name in alive if last_use.get(name, -1) > index}
    return peak


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every constant of a graph and of the graphs inside it."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner) if inner.ByteSize() else ()
