"""onnxruntime behind one class: arrays in, arrays out, one line when it will not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from fog_node.runtime import OnnxSession, RuntimeFailureError
from tests.fog_node.onnx_models import branch, fusion, model


def refused(data: bytes) -> str:
    with pytest.raises(RuntimeFailureError) as caught:
        OnnxSession(data, threads=1)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_runs_a_partition() -> None:
    session = OnnxSession(branch("left"), threads=1)
    assert session.inputs == frozenset({"input"})
    assert session.outputs == frozenset({"left"})
    outputs = session.run({"input": np.full((1, 1, 2, 2), 0.5, np.float32)})
    np.testing.assert_allclose(outputs["left"], [[-2.0, 2.0]])


def test_a_missing_input_counts_as_zeros() -> None:
    session = OnnxSession(fusion("left", "right"), threads=1)
    outputs = session.run({"right": np.array([[1.0, 2.0]], np.float32)})
    np.testing.assert_allclose(outputs["logits"], [[1.0, 2.0]])


def test_it_measures_itself() -> None:
    assert OnnxSession(branch("left"), threads=2).measure() > 0


@pytest.mark.parametrize(
    "inputs",
    [
        {"input": np.zeros((1, 1, 2, 3), np.float32)},
        {"input": np.zeros((1, 1, 2, 2), np.float64)},
        {"stranger": np.zeros(1, np.float32)},
    ],
)
def test_a_run_that_cannot_be_is_one_line(inputs: dict[str, Any]) -> None:
    session = OnnxSession(branch("left"), threads=1)
    with pytest.raises(RuntimeFailureError) as caught:
        session.run(inputs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\0" * 1000, branch("left")[:-10]])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    assert refused(data)


def test_a_shape_that_is_not_fixed_is_refused() -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    assert "input x" in refused(model(nodes, {"x": ("batch", 2)}, {"y": ("batch", 2)}))


def test_an_input_beyond_all_memory_is_refused() -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    shape = (2**40, 2**20)
    assert "input x" in refused(model(nodes, {"x": shape}, {"y": shape}))


@pytest.mark.parametrize("kind", ["tensor(string)", "tensor(double)", "seq(tensor(float))"])
def test_an_output_that_is_no_tensor_of_floats_is_refused(kind: str) -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])
    if kind == "seq(tensor(float))":
        y = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, [1, 2])
        node = helper.make_node("SequenceConstruct", ["x"], ["y"])
    else:
        to = TensorProto.STRING if kind == "tensor(string)" else TensorProto.DOUBLE
        y = helper.make_tensor_value_info("y", to, [1, 2])
        node = helper.make_node("Cast", ["x"], ["y"], to=to)
    graph = helper.make_graph([node], "g", [x], [y])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert refused(proto.SerializeToString()) == f"output y: {kind}"


def test_weights_outside_of_the_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # CVE-2024-27318 and its kin: a model must not read the files of the machine it runs on.
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    monkeypatch.chdir(tmp_path)
    for location in (
        "weights.bin",
        str(tmp_path / "weights.bin"),
        f"../{tmp_path.name}/weights.bin",
    ):
        weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
        weights.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": "0", "length": "16"}.items():
            weights.external_data.add(key=key, value=value)
        x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
        graph = helper.make_graph(
            [helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weights]
        )
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        assert refused(proto.SerializeToString())
