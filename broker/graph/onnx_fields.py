"""The fields of an ONNX file by number, from onnx.proto of ONNX 1.23.

Whatever could name another file, hide a graph in a graph or bring operators of its own is refused
while it is read; a field that is not here at all is refused too.
"""

from typing import Any, Final

from broker.graph.wire import Field, Schema


def _fields(**kinds: tuple[int, str]) -> Schema:
    return {number: Field(name, kind) for name, (number, kind) in kinds.items()}  # type: ignore[arg-type]


def _refused(words: dict[int, str]) -> Schema:
    return {number: Field(what, "refused") for number, what in words.items()}


def _many(name: str, kind: Any, schema: Schema | None = None) -> Field:
    return Field(name, kind, repeated=True, schema=schema)


_DIMENSION: Final = _fields(dim_value=(1, "int"), dim_param=(2, "text"), denotation=(3, "skipped"))
_SHAPE: Final[Schema] = {1: _many("dim", "message", _DIMENSION)}
_TENSOR_TYPE: Final[Schema] = {
    **_fields(elem_type=(1, "int")),
    2: Field("shape", "message", schema=_SHAPE),
}
_TYPE: Final[Schema] = {
    1: Field("tensor_type", "message", schema=_TENSOR_TYPE),
    **_fields(
        denotation=(6, "skipped"),
    ),
    **_refused(
        {
            4: "a sequence",
            5: "a map",
            7: "an opaque type",
            8: "a sparse tensor",
            9: "an optional value",
        }
    ),
}
_VALUE: Final[Schema] = {
    **_fields(name=(1, "text"), doc_string=(3, "skipped"), metadata_props=(4, "skipped")),
    2: Field("type", "message", schema=_TYPE),
}
_TENSOR: Final[Schema] = {
    1: _many("dims", "int"),
    **_fields(
        data_type=(2, "int"),
        name=(8, "text"),
        raw_data=(9, "bytes"),
        doc_string=(12, "skipped"),
        data_location=(14, "int"),
        metadata_props=(16, "skipped"),
    ),
    **_refused(
        {
            3: "a tensor in segments",
            5: "data of another type than float32",
            6: "a tensor of strings",
            10: "data of another type than float32",
            11: "data of another type than float32",
            13: "data outside of the file",
        }
    ),
    4: Field("float_data", "bytes"),
    7: _many("int64_data", "int"),
}
_ATTRIBUTE: Final[Schema] = {
    **_fields(
        name=(1, "text"),
        f=(2, "float"),
        i=(3, "int"),
        s=(4, "text"),
        doc_string=(13, "skipped"),
        type=(20, "int"),
    ),
    **_refused(
        {
            6: "a graph inside of an operator",
            10: "an attribute of several tensors",
            11: "a graph inside of an operator",
            14: "an attribute that is a type",
            15: "an attribute that is a type",
            21: "a reference to an attribute of a function",
            22: "a sparse tensor",
            23: "a sparse tensor",
        }
    ),
    5: Field("t", "message", schema=_TENSOR),
    7: _many("floats", "float"),
    8: _many("ints", "int"),
    9: Field("an attribute of several texts", "refused"),
}
_NODE: Final[Schema] = {
    1: _many("input", "text"),
    2: _many("output", "text"),
    **_fields(
        name=(3, "text"),
        op_type=(4, "text"),
        doc_string=(6, "skipped"),
        domain=(7, "text"),
        overload=(8, "text"),
        metadata_props=(9, "skipped"),
    ),
    **_refused({10: "a choice of devices"}),
    5: _many("attribute", "message", _ATTRIBUTE),
}
_GRAPH: Final[Schema] = {
    1: _many("node", "message", _NODE),
    **_fields(
        name=(2, "text"),
        doc_string=(10, "skipped"),
        metadata_props=(16, "skipped"),
    ),
    **_refused({14: "a note on quantisation", 15: "a sparse tensor"}),
    5: _many("initializer", "message", _TENSOR),
    11: _many("input", "message", _VALUE),
    12: _many("output", "message", _VALUE),
    13: _many("value_info", "message", _VALUE),
}
_OPSET: Final = _fields(domain=(1, "text"), version=(2, "int"))
MODEL: Final[Schema] = {
    **_fields(
        ir_version=(1, "int"),
        producer_name=(2, "skipped"),
        producer_version=(3, "skipped"),
        domain=(4, "skipped"),
        model_version=(5, "int"),
        doc_string=(6, "skipped"),
        metadata_props=(14, "skipped"),
    ),
    **_refused({20: "how to train it", 25: "an operator of its own", 26: "a choice of devices"}),
    7: Field("graph", "message", schema=_GRAPH),
    8: _many("opset_import", "message", _OPSET),
}
