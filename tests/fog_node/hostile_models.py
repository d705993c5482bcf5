"""ONNX files that a stranger might deploy: endless, huge, external, strange. Each is one function.

``HOSTILE`` has them by name. All are built when they are asked for, and none takes long to build.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper
from onnx import numpy_helper as arrays

Builder = Callable[[], bytes]
HOSTILE: Final[dict[str, Builder]] = {}
X, Y = "input", "left"
"""What the partition of these names takes and gives: (1, 1, 2, 2) -> (1, 2)."""
_IN, _OUT = (1, 1, 2, 2), (1, 2)


def _hostile(build: Builder) -> Builder:
    HOSTILE[build.__name__.strip("_")] = build
    return build


def _value(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _integers(name: str, *numbers: int) -> TensorProto:
    return arrays.from_array(np.array(numbers, np.int64), name)


def _floats(name: str, *shape: int, value: float = 0.5) -> TensorProto:
    return arrays.from_array(np.full(shape, value, np.float32), name)


def _to_output(*nodes: NodeProto, last: str = X) -> list[NodeProto]:
    """Return the nodes, and those that make the partition's output of the last tensor."""
    return [
        *nodes,
        helper.make_node("ReduceMean", [last], ["mean"], keepdims=0),
        helper.make_node("Add", ["mean", "two"], [Y]),
    ]


def _model(
    nodes: list[NodeProto],
    weights: Any = (),
    inputs: Any = ((X, _IN),),
    outputs: Any = ((Y, _OUT),),
    opset: int = 18,
    **graph: Any,
) -> ModelProto:
    proto = helper.make_graph(
        nodes,
        "hostile",
        [_value(*pair) for pair in inputs],
        [_value(*pair) for pair in outputs],
        [_floats("two", *_OUT), *weights],
        **graph,
    )
    return helper.make_model(proto, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _bytes(nodes: list[NodeProto], weights: Any = (), **how: Any) -> bytes:
    data: bytes = _model(nodes, weights, **how).SerializeToString()
    return data


def _loop(go_on: list[NodeProto]) -> bytes:
    """Return a model that loops for as long as ``go`` is true, which these nodes make once."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["co"]), helper.make_node("Add", ["a", "a"], ["b"])],
        "body",
        [_value("i", [], TensorProto.INT64), _value("c", [], TensorProto.BOOL), _value("a", _IN)],
        [_value("co", [], TensorProto.BOOL), _value("b", _IN)],
    )
    loop = helper.make_node("Loop", ["", "go", X], ["looped"], body=body)
    return _bytes(_to_output(*go_on, loop, last="looped"))


@_hostile
def endless_loop() -> bytes:
    always = arrays.from_array(np.array(True))
    return _loop([helper.make_node("Constant", [], ["go"], value=always)])


@_hostile
def loop_that_ends_on_zeros_only() -> bytes:
    zero = arrays.from_array(np.array(0, np.float32))
    return _loop(
        [
            helper.make_node("Constant", [], ["zero"], value=zero),
            helper.make_node("ReduceMax", [X], ["most"], keepdims=0),
            helper.make_node("Greater", ["most", "zero"], ["go"]),
        ]
    )


@_hostile
def branches() -> bytes:
    def branch(value: float) -> Any:
        node = helper.make_node("Constant", [], ["b"], value=_floats("b", *_IN, value=value))
        return helper.make_graph([node], "branch", [], [_value("b", _IN)])

    always = arrays.from_array(np.array(True))
    condition = helper.make_node("Constant", [], ["go"], value=always)
    node = helper.make_node("If", ["go"], ["chosen"], then_branch=branch(1), else_branch=branch(0))
    return _bytes(_to_output(condition, node, last="chosen"))


@_hostile
def scan() -> bytes:
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "e"], ["so"]), helper.make_node("Identity", ["so"], ["eo"])],
        "body",
        [_value("s", (1, 2, 2)), _value("e", (1, 2, 2))],
        [_value("so", (1, 2, 2)), _value("eo", (1, 2, 2))],
    )
    first = helper.make_node("Squeeze", [X, "axis"], ["state"])
    node = helper.make_node("Scan", ["state", X], ["last", "all"], body=body, num_scan_inputs=1)
    return _bytes(_to_output(first, node, last="all"), [_integers("axis", 0)])


@_hostile
def graph_in_an_attribute() -> bytes:
    inner = helper.make_graph([], "inner", [], [])
    node = helper.make_node("Relu", [X], ["r"])
    node.attribute.add(name="body", type=AttributeProto.GRAPH, g=inner)
    return _bytes(_to_output(node, last="r"))


# --- huge -----------------------------------------------------------------------------------


@_hostile
def huge_matrix_product() -> bytes:
    shape = [_integers("shape", 9000, 9000)]
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["a"]),
        helper.make_node("MatMul", ["a", "a"], ["c"]),
    ]
    return _bytes(_to_output(*nodes, last="c"), shape)


@_hostile
def matrix_product_of_broadcast_sums() -> bytes:
    """Only operators of a CNN, and 144 KB of weights: 729 thousand million multiply-accumulates."""
    nodes = [
        helper.make_node("Add", ["row", "column"], ["a"]),
        helper.make_node("MatMul", ["a", "a"], ["c"]),
    ]
    weights = [_floats("row", 1, 9000), _floats("column", 9000, 1)]
    return _bytes(_to_output(*nodes, last="c"), weights)


@_hostile
def many_matrix_products() -> bytes:
    """Each is small enough; all of them together are not."""
    nodes = [helper.make_node("Add", ["row", "column"], ["a0"])]
    nodes += [helper.make_node("MatMul", [f"a{i}", "a0"], [f"a{i + 1}"]) for i in range(1000)]
    weights = [_floats("row", 1, 512, value=1e-3), _floats("column", 512, 1, value=1e-3)]
    return _bytes(_to_output(*nodes, last="a1000"), weights)


@_hostile
def huge_convolution() -> bytes:
    nodes = [
        helper.make_node("Conv", [X, "spread"], ["many"], pads=[1000] * 4),
        helper.make_node("Conv", ["many", "again"], ["c"], pads=[16] * 4),
    ]
    weights = [_floats("spread", 64, 1, 1, 1), _floats("again", 64, 64, 31, 31, value=1e-6)]
    return _bytes(_to_output(*nodes, last="c"), weights)


@_hostile
def constant_of_shape() -> bytes:
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["a"])]
    return _bytes(_to_output(*nodes, last="a"), [_integers("shape", 1 << 20, 1 << 16)])


def _bomb(kind: str, *inputs: str, weights: Any, **attributes: Any) -> bytes:
    return _bytes(
        _to_output(helper.make_node(kind, [X, *inputs], ["b"], **attributes), last="b"), weights
    )


@_hostile
def expand() -> bytes:
    return _bomb("Expand", "to", weights=[_integers("to", 1 << 18, 1 << 18, 2, 2)])


@_hostile
def tile() -> bytes:
    return _bomb("Tile", "times", weights=[_integers("times", 1 << 18, 1 << 18, 1, 1)])


@_hostile
def pad() -> bytes:
    return _bomb("Pad", "by", weights=[_integers("by", 0, 0, 1 << 18, 1 << 18, 0, 0, 0, 0)])


@_hostile
def resize() -> bytes:
    sizes = [_integers("sizes", 1, 1, 1 << 20, 1 << 20)]
    node = helper.make_node("Resize", [X, "", "", "sizes"], ["b"], mode="nearest")
    return _bytes(_to_output(node, last="b"), sizes)


@_hostile
def endless_range() -> bytes:
    weights = [
        arrays.from_array(np.array(n, np.float32), name)
        for name, n in (("a", 0), ("b", 1e12), ("c", 1))
    ]
    return _bytes(_to_output(helper.make_node("Range", ["a", "b", "c"], ["r"]), last="r"), weights)


@_hostile
def huge_padding() -> bytes:
    node = helper.make_node("Conv", [X, "w"], ["c"], pads=[1 << 20] * 4)
    return _bytes(_to_output(node, last="c"), [_floats("w", 1, 1, 3, 3)])


@_hostile
def huge_dilation() -> bytes:
    node = helper.make_node("Conv", [X, "w"], ["c"], pads=[1] * 4, dilations=[1 << 40] * 2)
    return _bytes(_to_output(node, last="c"), [_floats("w", 1, 1, 3, 3)])


@_hostile
def more_memory_than_stated() -> bytes:
    """Each tensor is small; a thousand of them are alive at once, until a sum takes them all."""
    spread = [helper.make_node("Add", ["row", "column"], [f"a{i}"]) for i in range(1000)]
    sums = [
        helper.make_node("Sum", [f"a{i + j}" for j in range(50)], [f"s{i}"])
        for i in range(0, 1000, 50)
    ]
    total = helper.make_node("Sum", [f"s{i}" for i in range(0, 1000, 50)], ["t"])
    weights = [_floats("row", 1, 256), _floats("column", 256, 1)]
    return _bytes(_to_output(*spread, *sums, total, last="t"), weights)


@_hostile
def thousands_of_operators() -> bytes:
    nodes = [
        helper.make_node("Relu", [X if i == 0 else f"r{i - 1}"], [f"r{i}"]) for i in range(20_000)
    ]
    return _bytes(_to_output(*nodes, last="r19999"))


@_hostile
def hundred_thousand_constants() -> bytes:
    weights = [TensorProto(name=f"w{i}", data_type=1, raw_data=b"") for i in range(100_000)]
    return _bytes(_to_output(), weights)


@_hostile
def millions_of_empty_messages() -> bytes:
    """4 MB in which every two bytes are a message: a general parser makes hundreds of MB of it."""
    nodes = b"\x0a\x00" * 2_000_000
    return b"\x08\x08\x3a" + _varint(len(nodes)) + nodes + b"\x42\x02\x10\x12"


@_hostile
def giant_doc_string() -> bytes:
    model = _model(_to_output())
    model.doc_string = "x" * 20_000_000
    return _serialised(model)


@_hostile
def deep_nesting() -> bytes:
    """Graphs in attributes of nodes of graphs, two thousand deep."""
    inner = b""
    for _ in range(2000):
        attribute = b"\x0a\x01b\xa0\x01\x05\x32" + _varint(len(inner)) + inner
        node = b"\x22\x02If\x2a" + _varint(len(attribute)) + attribute
        inner = b"\x0a" + _varint(len(node)) + node
    return b"\x08\x08\x3a" + _varint(len(inner)) + inner


def _varint(number: int) -> bytes:
    parts = []
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _serialised(model: ModelProto) -> bytes:
    data: bytes = model.SerializeToString()
    return data


# --- external -------------------------------------------------------------------------------


def _external(location: str) -> TensorProto:
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=_OUT)
    weights.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "8"}.items():
        weights.external_data.add(key=key, value=value)
    return weights


def _with_external(location: str) -> Builder:
    def build() -> bytes:
        return _bytes(
            _to_output(helper.make_node("Add", [X, "w"], ["b"]), last="b"), [_external(location)]
        )

    return build


for _name, _location in {
    "external_relative": "weights.bin",
    "external_absolute": "/etc/passwd",
    "external_above": "../../../../../../etc/passwd",
    "external_device": "/dev/zero",
    "external_memory": "*/_ORT_MEM_ADDR_/*",
}.items():
    HOSTILE[_name] = _with_external(_location)


@_hostile
def external_in_an_attribute() -> bytes:
    node = helper.make_node("Constant", [], ["w"], value=_external("/etc/passwd"))
    return _bytes(_to_output(node, helper.make_node("Add", [X, "w"], ["b"]), last="b"))


@_hostile
def external_location_without_a_place() -> bytes:
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=_OUT)
    weights.data_location = TensorProto.EXTERNAL
    return _bytes(_to_output(helper.make_node("Add", [X, "w"], ["b"]), last="b"), [weights])


# --- strange --------------------------------------------------------------------------------


@_hostile
def function_body() -> bytes:
    model = _model(_to_output(helper.make_node("Mine", [X], ["m"], domain="mine"), last="m"))
    model.opset_import.add(domain="mine", version=1)
    body = [helper.make_node("Relu", ["a"], ["b"])]
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("mine", "Mine", ["a"], ["b"], body, opsets))
    return _serialised(model)


@_hostile
def function_that_replaces_an_operator() -> bytes:
    model = _model(_to_output(helper.make_node("Relu", [X], ["m"]), last="m"))
    body = [helper.make_node("Relu", ["a"], ["b"])]
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("", "Relu", ["a"], ["b"], body, opsets))
    return _serialised(model)


@_hostile
def custom_domain() -> bytes:
    model = _model(
        _to_output(helper.make_node("Gelu", [X], ["m"], domain="com.microsoft"), last="m")
    )
    model.opset_import.add(domain="com.microsoft", version=1)
    return _serialised(model)


@_hostile
def unknown_operator() -> bytes:
    return _bytes(_to_output(helper.make_node("Steal", [X], ["m"]), last="m"))


@_hostile
def names_that_act_on_a_terminal() -> bytes:
    """Two domains, and a name of one of them that clears the screen and says what it likes."""
    model = _model(_to_output())
    model.opset_import.add(domain="\x1b[2J\nroot: all is well " * 40, version=1)
    return _serialised(model)


@_hostile
def names_that_fill_a_page() -> bytes:
    nodes = [helper.make_node("Relu", [X], ["r" * 1000]) for _ in range(2)]
    return _bytes(_to_output(*nodes, last="r" * 1000))


@_hostile
def future_operator_set() -> bytes:
    return _bytes(_to_output(), opset=4711)


@_hostile
def no_operator_set() -> bytes:
    model = _model(_to_output())
    del model.opset_import[:]
    return _serialised(model)


@_hostile
def no_graph() -> bytes:
    return _serialised(helper.make_model(helper.make_graph([], "", [], [])))[:4]


@_hostile
def empty_file() -> bytes:
    return b""


@_hostile
def garbage() -> bytes:
    return np.random.default_rng(1).bytes(10_000)


@_hostile
def truncated() -> bytes:
    return _bytes(_to_output())[:-10]


@_hostile
def two_graphs() -> bytes:
    """Parsers merge what stands twice: the first graph alone is harmless."""
    model = _bytes(_to_output())
    more = _serialised(_model([helper.make_node("Steal", [X], ["m"])], outputs=()))
    return model + more


@_hostile
def flatbuffer_of_onnxruntime() -> bytes:
    """A file that is an ONNX model and, by its fifth to eighth byte, one of onnxruntime's own format."""
    return b"\x12\x06\x00\x00ORTM" + _bytes(_to_output())


@_hostile
def dynamic_sizes() -> bytes:
    inputs = ((X, ("batch", 1, "height", "width")),)
    return _bytes(_to_output(), inputs=inputs)


@_hostile
def overflowing_shape() -> bytes:
    return _bytes(_to_output(), inputs=((X, (1 << 32, 1 << 32, 1, 1)),))


@_hostile
def negative_size() -> bytes:
    return _bytes(_to_output(), inputs=((X, (1, -4, 2, 2)),))


@_hostile
def constant_of_negative_size() -> bytes:
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-1, 2], raw_data=b"")
    return _bytes(_to_output(helper.make_node("Add", [X, "w"], ["b"]), last="b"), [weights])


@_hostile
def constant_larger_than_its_bytes() -> bytes:
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 20], raw_data=bytes(16))
    return _bytes(_to_output(helper.make_node("Add", [X, "w"], ["b"]), last="b"), [weights])


@_hostile
def wrong_type_of_input() -> bytes:
    nodes = _to_output(helper.make_node("Cast", [X], ["c"], to=TensorProto.FLOAT), last="c")
    return _bytes(nodes, inputs=((X, _IN, TensorProto.DOUBLE),))


@_hostile
def other_shape_than_assigned() -> bytes:
    return _bytes(_to_output(), inputs=((X, (1, 1, 64, 64)),))


@_hostile
def strings() -> bytes:
    nodes = [helper.make_node("Cast", [X], ["s"], to=TensorProto.STRING)]
    return _bytes(_to_output(*nodes, helper.make_node("Cast", ["s"], ["c"], to=1), last="c"))


@_hostile
def duplicated_names() -> bytes:
    nodes = [helper.make_node("Relu", [X], ["r"]), helper.make_node("Sigmoid", [X], ["r"])]
    return _bytes(_to_output(*nodes, last="r"))


@_hostile
def cycle() -> bytes:
    nodes = [helper.make_node("Add", [X, "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    return _bytes(_to_output(*nodes, last="b"))


@_hostile
def weights_that_are_no_numbers() -> bytes:
    weights = [_floats("w", *_OUT, value=float("nan"))]
    return _bytes(_to_output(helper.make_node("Add", [X, "w"], ["b"]), last="b"), weights)


@_hostile
def output_that_nothing_makes() -> bytes:
    return _bytes([helper.make_node("Relu", [X], ["r"])])


@_hostile
def output_of_another_shape() -> bytes:
    return _bytes(_to_output(), outputs=((Y, (1, 3)),))


@_hostile
def sequence() -> bytes:
    nodes = [
        helper.make_node("SequenceConstruct", [X], ["s"]),
        helper.make_node("ConcatFromSequence", ["s"], ["c"], axis=0),
    ]
    return _bytes(_to_output(*nodes, last="c"))


@_hostile
def optional_output() -> bytes:
    model = _model(_to_output())
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(1, _OUT))
    model.graph.output.append(helper.make_value_info("o", kind))
    model.graph.node.append(helper.make_node("Optional", [Y], ["o"]))
    return _serialised(model)


@_hostile
def random_numbers() -> bytes:
    node = helper.make_node("RandomNormal", [], ["r"], shape=[1, 4])
    return _bytes(_to_output(node, last="r"))


@_hostile
def dropout_in_training() -> bytes:
    ratio, training = np.array(0.5, np.float32), np.array(True)
    weights = [arrays.from_array(ratio, "ratio"), arrays.from_array(training, "training")]
    node = helper.make_node("Dropout", [X, "ratio", "training"], ["d"])
    return _bytes(_to_output(node, last="d"), weights)


@_hostile
def sparse_weights() -> bytes:
    sparse = SparseTensorProto(dims=[1 << 40, 1 << 20])
    sparse.values.CopyFrom(_floats("w", 1))
    sparse.indices.CopyFrom(_integers("i", 1 << 59))
    return _bytes(
        _to_output(helper.make_node("Add", [X, "w"], ["b"]), last="b"), sparse_initializer=[sparse]
    )


@_hostile
def training_information() -> bytes:
    model = _model(_to_output())
    model.training_info.add().algorithm.CopyFrom(model.graph)
    return _serialised(model)


@_hostile
def quantised() -> bytes:
    weights = [
        arrays.from_array(np.array(0.1, np.float32), "scale"),
        arrays.from_array(np.array(0, np.uint8), "zero"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", [X, "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
    ]
    return _bytes(_to_output(*nodes, last="d"), weights)


@_hostile
def kernel_of_no_size() -> bytes:
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1, 1, 0, 0], raw_data=b"")
    node = helper.make_node("Conv", [X, "w"], ["c"], kernel_shape=[0, 0])
    return _bytes(_to_output(node, last="c"), [weights])


@_hostile
def stride_of_zero() -> bytes:
    node = helper.make_node("MaxPool", [X], ["p"], kernel_shape=[1, 1], strides=[0, 0])
    return _bytes(_to_output(node, last="p"))


@_hostile
def groups_that_divide_by_zero() -> bytes:
    node = helper.make_node("Conv", [X, "w"], ["c"], group=0)
    return _bytes(_to_output(node, last="c"), [_floats("w", 1, 1, 1, 1)])


@_hostile
def attribute_of_a_wrong_type() -> bytes:
    node = helper.make_node("Transpose", [X], ["t"], perm=[0.0, 1.0, 2.0, 3.0])
    return _bytes(_to_output(node, last="t"))
