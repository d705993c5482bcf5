"""Operators that only arrange what they are given. Pure."""

import math

from broker.graph.call import Call, Effect, axes
from broker.graph.onnx_file import GraphError


def join(call: Call) -> Effect:
    """Concat: (…, A, …) and (…, B, …) -> (…, A + B, …)."""
    shapes = [call.shape(index) for index in range(len(call.shapes))]
    first = shapes[0]
    if "axis" not in call.operator.attributes:
        raise GraphError("Concat: no axis")
    (axis,) = axes("Concat", (call.get("axis", 0),), len(first))
    for shape in shapes:
        if shape[:axis] != first[:axis] or shape[axis + 1 :] != first[axis + 1 :]:
            raise GraphError(f"Concat: {first} and {shape} do not fit")
    out = (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])
    return Effect(out, math.prod(out))


def flatten(call: Call) -> Effect:
    """Flatten: two axes out of many."""
    shape, axis = call.shape(0), call.get("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise GraphError(f"Flatten: axis {axis} of {len(shape)}")
    at = axis if axis >= 0 else axis + len(shape)
    return Effect((math.prod(shape[:at]), math.prod(shape[at:])), math.prod(shape))


def reshape(call: Call) -> Effect:
    """Reshape to a constant shape; 0 stays as it is, -1 is what is left."""
    shape, wanted = call.shape(0), call.numbers(1)
    if wanted is None or call.get("allowzero", 0):
        raise GraphError("Reshape: no constant shape")
    if any(size < -1 or (size == 0 and i >= len(shape)) for i, size in enumerate(wanted)):
        raise GraphError(f"Reshape: {shape} to {wanted}")
    sizes = [shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    known, elements = math.prod(size for size in sizes if size != -1), math.prod(shape)
    if sizes.count(-1) > 1 or (elements % known if -1 in sizes else elements != known):
        raise GraphError(f"Reshape: {shape} to {wanted}")
    return Effect(tuple(elements // known if s == -1 else s for s in sizes), elements)


def transpose(call: Call) -> Effect:
    """Transpose: the axes in another order."""
    shape = call.shape(0)
    order = call.get("perm", tuple(range(len(shape)))[::-1])
    if sorted(order) != list(range(len(shape))):
        raise GraphError(f"Transpose: {order} of {shape}")
    return Effect(tuple(shape[axis] for axis in order), math.prod(shape))


def squeeze(call: Call) -> Effect:
    """Squeeze: without some axes of size 1."""
    shape, wanted = call.shape(0), call.numbers(1)
    if wanted is None:
        wanted = tuple(axis for axis, size in enumerate(shape) if size == 1)
    gone = axes("Squeeze", wanted, len(shape))
    if any(shape[axis] != 1 for axis in gone):
        raise GraphError(f"Squeeze: axes {tuple(gone)} of {shape}")
    return Effect(tuple(s for i, s in enumerate(shape) if i not in gone), math.prod(shape))


def unsqueeze(call: Call) -> Effect:
    """Unsqueeze: with more axes of size 1."""
    shape, wanted = call.shape(0), call.numbers(1)
    if wanted is None:
        raise GraphError("Unsqueeze: no constant axes")
    rank = len(shape) + len(wanted)
    new, old = set(axes("Unsqueeze", wanted, rank)), iter(shape)
    return Effect(tuple(1 if i in new else next(old) for i in range(rank)), math.prod(shape))
