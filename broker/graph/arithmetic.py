"""Operators that compute: element by element, over windows, and products. Pure."""

import math
from collections.abc import Callable
from typing import Final

from broker.graph.call import Call, Effect, axes
from broker.graph.onnx_file import GraphError, Shape
from broker.graph.window import window

FUNCTION_COST: Final = 16
"""Multiply-accumulates that an exponential or a division is counted as."""


def broadcast(kind: str, *shapes: Shape) -> Shape:
    """Return the shape that these have together, as numpy does it."""
    rank = max(len(shape) for shape in shapes)
    sizes = []
    for each in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        largest = max(each)
        if any(size not in (1, largest) for size in each):
            raise GraphError(f"{kind}: shapes {' and '.join(map(str, shapes))} do not fit")
        sizes.append(largest)
    return tuple(sizes)


def each(cost: int) -> Callable[[Call], Effect]:
    """Return what an operator does that takes ``cost`` an element, its inputs broadcast onto each other."""

    def apply(call: Call) -> Effect:
        shapes = [call.shape(i) for i, shape in enumerate(call.shapes) if shape is not None]
        if not shapes or call.shapes[0] is None:
            raise GraphError(f"{call.operator.kind}: an input is missing")
        shape = broadcast(call.operator.kind, *shapes)
        return Effect(shape, cost * len(shapes) * math.prod(shape))

    return apply


def clip(call: Call) -> Effect:
    """Clip between two numbers."""
    for index in range(1, len(call.shapes)):
        if call.shapes[index] is not None and math.prod(call.shape(index)) != 1:
            raise GraphError("Clip: a bound is one number")
    return Effect(call.shape(0), math.prod(call.shape(0)))


def normalise(call: Call) -> Effect:
    """BatchNormalization with the statistics of the training: (N, C, …) -> (N, C, …)."""
    shape = call.shape(0)
    if len(shape) < 2 or call.get("training_mode", 0) != 0:
        raise GraphError("BatchNormalization: not as it is done after training")
    if any(call.shape(index) != shape[1:2] for index in range(1, 5)):
        raise GraphError("BatchNormalization: not one number for each channel")
    return Effect(shape, 2 * math.prod(shape))


def convolve(call: Call) -> Effect:
    """Conv: (N, C, H, W) with weights (F, C / group, kH, kW) -> (N, F, H', W'); or one spatial axis."""
    shape, weights = call.shape(0), call.shape(1)
    group = call.get("group", 1)
    if len(shape) not in (3, 4) or len(weights) != len(shape) or not 1 <= group <= shape[1]:
        raise GraphError(f"Conv: {shape}, weights {weights}, {group} groups")
    filters, channels, kernel = weights[0], weights[1], weights[2:]
    if channels * group != shape[1] or filters % group:
        raise GraphError(f"Conv: {shape}, weights {weights}, {group} groups")
    if call.operator.attributes.get("kernel_shape", kernel) != kernel:
        raise GraphError("Conv: kernel_shape is not that of the weights")
    if len(call.shapes) > 2 and call.shapes[2] is not None and call.shape(2) != (filters,):
        raise GraphError("Conv: the bias is not one number for each filter")
    moved = window("Conv", call.operator.attributes, kernel, shape[2:]).slide(shape[2:])
    out = (shape[0], filters, *moved)
    column = channels * math.prod(kernel)
    # onnxruntime unrolls the whole input for a matrix product only where filters outnumber pixels.
    pixels = math.prod(moved)
    scratch = 4 * column * pixels if filters // group > pixels else 0
    return Effect(out, math.prod(out) * column, scratch)


def pool(call: Call) -> Effect:
    """MaxPool and AveragePool: (N, C, H, W) -> (N, C, H', W')."""
    shape = call.shape(0)
    kernel = call.get("kernel_shape", ())
    if len(shape) not in (3, 4) or len(kernel) != len(shape) - 2:
        raise GraphError(f"{call.operator.kind}: a kernel {kernel} on {shape}")
    slid = window(call.operator.kind, call.operator.attributes, kernel, shape[2:])
    if any(max(pads) >= size for pads, size in zip(slid.pads, kernel, strict=True)):
        raise GraphError(f"{call.operator.kind}: the padding is as large as the kernel")
    out = (*shape[:2], *slid.slide(shape[2:]))
    return Effect(out, math.prod(out) * math.prod(kernel))


def pool_all(call: Call) -> Effect:
    """GlobalAveragePool and GlobalMaxPool: (N, C, H, W) -> (N, C, 1, 1)."""
    shape = call.shape(0)
    if len(shape) < 3:
        raise GraphError(f"{call.operator.kind}: {shape} is no picture")
    return Effect((*shape[:2], *(1 for _ in shape[2:])), math.prod(shape))


def reduce(call: Call) -> Effect:
    """ReduceMean over some axes."""
    shape = call.shape(0)
    over = call.numbers(1) if call.opset >= 18 else call.get("axes", ())
    if not over and call.get("noop_with_empty_axes", 0):
        raise GraphError("ReduceMean: nothing to reduce")
    gone = set(axes("ReduceMean", tuple(over or range(len(shape))), len(shape)))
    keep = call.get("keepdims", 1)
    out = tuple(
        1 if axis in gone else size for axis, size in enumerate(shape) if keep or axis not in gone
    )
    return Effect(out, math.prod(shape))


def gemm(call: Call) -> Effect:
    """Gemm: (M, K) by (K, N), either transposed, and something added -> (M, N)."""
    a, b = call.shape(0), call.shape(1)
    if len(a) != 2 or len(b) != 2:
        raise GraphError(f"Gemm: {a} and {b} are no matrices")
    rows, inner = a[::-1] if call.get("transA", 0) else a
    inner_b, columns = b[::-1] if call.get("transB", 0) else b
    if inner != inner_b:
        raise GraphError(f"Gemm: {a} and {b} do not fit")
    out = (rows, columns)
    added = call.shape(2) if len(call.shapes) > 2 and call.shapes[2] is not None else out
    if broadcast("Gemm", out, added) != out:
        raise GraphError("Gemm: the third input is larger than the product")
    return Effect(out, rows * inner * columns, 4 * (math.prod(a) + math.prod(b)))


def matrix_product(call: Call) -> Effect:
    """MatMul: (…, M, K) by (…, K, N) -> (…, M, N)."""
    a, b = call.shape(0), call.shape(1)
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-2]:
        raise GraphError(f"MatMul: {a} and {b} do not fit")
    out = (*broadcast("MatMul", (1, *a[:-2]), (1, *b[:-2]))[1:], a[-2], b[-1])
    return Effect(out, math.prod(out) * a[-1], 4 * (math.prod(a) + math.prod(b)))


def soften(call: Call) -> Effect:
    """Softmax over one axis."""
    shape = call.shape(0)
    axes("Softmax", (call.get("axis", -1),), len(shape))
    return Effect(shape, FUNCTION_COST * math.prod(shape))
