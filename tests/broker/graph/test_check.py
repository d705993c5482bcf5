"""What a fog node says of an ONNX file before onnxruntime sees it, against what the package onnx says."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from broker.graph.check import MOST_MACS, check_graph
from broker.graph.onnx_file import GraphError
from broker.graph.operators import RULES
from broker.graph.wire import MOST_FIELDS
from fog_node.runtime import OnnxSession, RuntimeFailureError
from tests.fog_node.hostile_models import HOSTILE
from tests.fog_node.onnx_models import branch, fusion, model

STATED = 512 * 1024
ASSIGNED = {"other_shape_than_assigned"}
"""Sound in itself: only who knows the assignment can refuse it."""


def refused(data: bytes, memory_bytes: int = STATED) -> str:
    with pytest.raises(GraphError) as caught:
        check_graph(data, memory_bytes)
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 300
    return said


def node(kind: str, *inputs: str, **attributes: Any) -> Any:
    return helper.make_node(kind, list(inputs), ["y"], **attributes)


def test_it_knows_what_a_graph_takes_gives_and_costs() -> None:
    needs = check_graph(branch("left"), STATED)
    assert needs.inputs == {"input": (1, 1, 2, 2)}
    assert needs.outputs == {"left": (1, 2)}
    assert needs.macs == 8 + 4  # a product of (1, 4) and (4, 2), and a Flatten of 4
    assert needs.memory_bytes == 4 * (8 + 4 + 2) + 4 * (
        4 + 8
    )  # and both once more while it multiplies


def test_a_convolution_costs_what_it_multiplies() -> None:
    weights = [("w", np.ones((5, 3, 3, 3), np.float32))]
    convolution = [node("Conv", "x", "w", pads=[1, 1, 1, 1])]
    data = model(convolution, {"x": (1, 3, 8, 8)}, {"y": (1, 5, 8, 8)}, weights)
    assert check_graph(data).macs == 5 * 8 * 8 * 3 * 3 * 3


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - ASSIGNED))
def test_what_a_stranger_may_deploy_is_refused_in_one_line(name: str) -> None:
    assert refused(HOSTILE[name]())


@pytest.mark.parametrize("name", ["matrix_product_of_broadcast_sums", "many_matrix_products"])
def test_what_takes_too_long_is_refused_however_much_memory_was_stated(name: str) -> None:
    limit = min(MOST_MACS, 10**10)
    with pytest.raises(GraphError, match="multiply-accumulates a frame, more than 1e\\+10"):
        check_graph(HOSTILE[name](), 2**40, most_macs=limit)


def test_what_stands_twice_is_refused_and_not_merged() -> None:
    whole = branch("left")
    assert "stands twice" in refused(whole + whole)


def test_an_operator_names_itself_where_it_is_refused() -> None:
    said = refused(model([node("Steal", "x")], {"x": (1, 2)}, {"y": (1, 2)}))
    assert said == "operator 'Steal' is not run on fog nodes"


def test_numbers_of_all_64_bits_are_read() -> None:
    axes = numpy_helper.from_array(np.array([-1], np.int64), "axes")
    graph = onnx.load_model_from_string(
        model([node("ReduceMean", "x", "axes", keepdims=0)], {"x": (1, 2)}, {"y": (1,)})
    )
    graph.opset_import[0].version = 18
    for packed in (axes, TensorProto(name="axes", data_type=7, dims=[1], int64_data=[-1])):
        del graph.graph.initializer[:]
        graph.graph.initializer.append(packed)
        assert check_graph(graph.SerializeToString()).outputs == {"y": (1,)}


# --- the same shapes as onnx and onnxruntime -------------------------------------------------

SIZES = st.integers(1, 7)
ELEMENTWISE = [
    "Relu",
    "Sigmoid",
    "Tanh",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Elu",
    "Identity",
]


@st.composite
def windows(draw: st.DrawFn, kernel: tuple[int, int]) -> dict[str, Any]:
    """Attributes as Conv and the pools have them."""
    chosen: dict[str, Any] = {"strides": draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))}
    how = draw(st.sampled_from(["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    if how == "NOTSET":
        side = [st.integers(0, size - 1) for size in (*kernel, *kernel)]
        chosen["pads"] = draw(st.tuples(*side))
    else:
        chosen["auto_pad"] = how
    return chosen


@st.composite
def graphs(  # noqa: PLR0912 - one case an operator
    draw: st.DrawFn,
) -> tuple[list[Any], dict[str, np.ndarray[Any, Any]], tuple[int, ...]]:
    """One operator on a picture: nodes, constants, and the shape of the picture ``x``."""
    shape = (1, draw(st.integers(1, 4)), draw(SIZES), draw(SIZES))
    kind = draw(st.sampled_from(sorted(RULES.keys() - {"Constant"})))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    constants: dict[str, Any] = {}

    def constant(*sizes: int) -> str:
        name = f"c{len(constants)}"
        constants[name] = np.ones(sizes, np.float32)
        return name

    def integers(*numbers: int) -> str:
        constants["integers"] = np.array(numbers, np.int64)
        return "integers"

    inputs, attributes = ["x"], {}
    if kind == "Conv":
        group = draw(st.sampled_from([1, shape[1]]))
        filters = group * draw(st.integers(1, 3))
        inputs.append(constant(filters, shape[1] // group, *kernel))
        attributes = {**draw(windows(kernel)), "group": group}
    elif kind in ("MaxPool", "AveragePool"):
        attributes = {**draw(windows(kernel)), "kernel_shape": kernel}
    elif kind in ("Add", "Sub", "Mul", "Div", "Sum"):
        other = [draw(st.sampled_from([1, size])) for size in shape]
        inputs.append(constant(*other[draw(st.integers(0, 3)) :]))
    elif kind == "BatchNormalization":
        inputs += [constant(shape[1]) for _ in range(4)]
    elif kind == "Clip":
        inputs += [constant(), constant()][: draw(st.integers(0, 2))]
    elif kind == "Concat":
        inputs *= draw(st.integers(1, 3))
        attributes = {"axis": draw(st.integers(-4, 3))}
    elif kind in ("Flatten", "Softmax"):
        attributes = {"axis": draw(st.integers(-4, 3))}
    elif kind == "MatMul":
        inputs.append(constant(*draw(st.sampled_from([(), (1,), (shape[1],)])), shape[3], 5))
    elif kind == "ReduceMean":
        axes = draw(st.lists(st.integers(0, 3), unique=True))
        inputs += [integers(*axes)] if axes else []
        attributes = {"keepdims": draw(st.integers(0, 1))}
    elif kind == "Reshape":
        inputs.append(
            integers(*draw(st.sampled_from([(0, -1), (-1,), (1, 0, -1, 1), (0, 0, 0, 0)])))
        )
    elif kind == "Transpose":
        attributes = {"perm": draw(st.permutations([0, 1, 2, 3]))}
    elif kind == "Squeeze":
        inputs += [integers(draw(st.sampled_from([0, -4])))] if draw(st.booleans()) else []
    elif kind == "Unsqueeze":
        inputs.append(
            integers(*draw(st.lists(st.integers(0, 4), unique=True, min_size=1, max_size=2)))
        )
    nodes = []
    if kind == "Gemm":
        turned = draw(st.integers(0, 1)), draw(st.integers(0, 1))
        nodes.append(helper.make_node("Flatten", ["x"], ["flat"], axis=1 + turned[0]))
        inner = (shape[1] * shape[2] * shape[3], shape[1])[turned[0]]
        sizes = (inner, 3) if not turned[1] else (3, inner)
        inputs = ["flat", constant(*sizes), *([constant(3)] if draw(st.booleans()) else [])]
        attributes = {"transA": turned[0], "transB": turned[1]}
    nodes.append(node(kind, *inputs, **attributes))
    return nodes, constants, shape


@given(graphs(), st.sampled_from([13, 17, 18, 22]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_shapes_are_those_of_onnx_and_of_onnxruntime(case: Any, opset: int) -> None:
    nodes, constants, shape = case
    if nodes[-1].op_type == "HardSwish" and opset < 14:
        opset = 14
    if nodes[-1].op_type == "ReduceMean" and opset < 18 and "integers" in constants:
        axes = [int(axis) for axis in constants.pop("integers")]
        del nodes[-1].input[1:]
        nodes[-1].attribute.append(helper.make_attribute("axes", axes))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", [x], [y], weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    try:
        inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True).graph.output[0]
        expected = tuple(dim.dim_value for dim in inferred.type.tensor_type.shape.dim)
    except onnx.shape_inference.InferenceError:
        expected = ()
    if not all(size >= 1 for size in expected) or (
        not expected and nodes[-1].op_type != "ReduceMean"
    ):
        expected = (0,)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, expected))
    data = proto.SerializeToString()
    if expected == (0,):
        refused(data)
        return
    try:
        needs = check_graph(data)
    except GraphError as error:
        # onnx divides a negative room by the stride, and rounds towards a window that is not there.
        assert "does not fit into" in str(error)  # noqa: PT017
        return
    assert needs.outputs == {"y": expected}
    try:
        array = OnnxSession(data, 1).run({"x": np.ones(shape, np.float32)})["y"]
    except RuntimeFailureError as error:
        # It sizes a window by its own rules where a stride is larger than the kernel.
        assert "padding" in str(error)  # noqa: PT017
        return
    assert array.shape == expected


# --- whatever comes --------------------------------------------------------------------------

REAL = [branch("left"), fusion("left", "right"), *(HOSTILE[name]() for name in sorted(HOSTILE))]
SMALL = [data for data in REAL if len(data) < 2000]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real model or a hostile one, with bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(SMALL)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change" if data:
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 16))]
            case "insert":
                data[at:at] = draw(st.binary(max_size=8))
            case _:
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
    return bytes(data)


@given(mutations() | st.binary(max_size=200))
@settings(max_examples=300)
def test_whatever_comes_is_refused_or_what_onnx_reads_too(data: bytes) -> None:
    try:
        needs = check_graph(data)
    except GraphError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    read = onnx.load_model_from_string(data)
    assert {operator.op_type for operator in read.graph.node} <= RULES.keys() | {"Constant"}
    assert not read.functions
    constants = [*read.graph.initializer, *(a.t for n in read.graph.node for a in n.attribute)]
    assert all(t.data_location == TensorProto.DEFAULT and not t.external_data for t in constants)
    assert {value.name for value in read.graph.input} == set(needs.inputs)
    assert {value.name for value in read.graph.output} == set(needs.outputs)


def test_a_file_is_read_in_a_time_that_grows_with_its_fields_and_these_are_bounded() -> None:
    for name in ("millions_of_empty_messages", "hundred_thousand_constants"):
        assert str(MOST_FIELDS) in refused(HOSTILE[name]())
