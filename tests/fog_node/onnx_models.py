"""Small real ONNX models: a branch that says how bright a picture is, and a fusion that adds."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def model(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], weights: Any = ()
) -> bytes:
    """Return the bytes of a model; shapes by name, all float32."""

    def value(name: str, shape: Any) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "small",
        [value(*pair) for pair in inputs.items()],
        [value(*pair) for pair in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    opset = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return data


def branch(output: str, bright: float = 1.0) -> bytes:
    """Return input (1, 1, 2, 2) -> (1, 2): what speaks for dark (class 0), and what for bright."""
    weights = np.array([[-bright, bright]] * 4, np.float32)  # (4, 2)
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], [output]),
    ]
    return model(nodes, {"input": (1, 1, 2, 2)}, {output: (1, 2)}, [("weights", weights)])


def fusion(*names: str) -> bytes:
    """Return the sum of partial logits, each (1, 2)."""
    nodes = [helper.make_node("Sum", list(names), ["logits"])]
    return model(nodes, dict.fromkeys(names, (1, 2)), {"logits": (1, 2)})
