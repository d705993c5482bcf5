"""Who deploys what fog nodes would refuse hears it before anything is sent."""

from pathlib import Path

import pytest
from onnx import helper

from broker.artifacts import sha256_of
from coordinator.fog.runnable import check_runnable
from models.bundle import Bundle, BundleError, read_bundle, write_bundle
from tests.coordinator.fog.toys import bundle as toy
from tests.fog_node.onnx_models import fusion, model


def written(folder: Path, operator: str) -> Bundle:
    """Write a bundle of one branch, which ends in this operator, and read it as ``deploy`` does."""
    nodes = [
        helper.make_node(operator, ["input"], ["o"]),
        helper.make_node("MaxPool", ["o"], ["p"], kernel_shape=[2, 2], strides=[2, 4]),
        helper.make_node("Flatten", ["p"], ["branch0-logits"]),
    ]
    graphs = {
        "branch0-stage0": model(nodes, {"input": (1, 1, 4, 4)}, {"branch0-logits": (1, 2)}),
        "fusion": fusion("branch0-logits"),
    }
    described = toy(1).model_dump()
    for part in described["partitions"]:
        part["sha256"] = sha256_of(graphs[part["id"]])
    whole = model(
        [*nodes, helper.make_node("Identity", ["branch0-logits"], ["logits"])],
        {"input": (1, 1, 4, 4)},
        {"logits": (1, 2)},
    )
    write_bundle(folder, Bundle.model_validate(described), whole, graphs)
    return read_bundle(folder)


def test_a_network_of_known_operators_may_be_deployed(tmp_path: Path) -> None:
    check_runnable(written(tmp_path, "Relu"), tmp_path)


def test_an_operator_that_no_fog_node_runs_is_named_with_its_file(tmp_path: Path) -> None:
    bundle = written(tmp_path, "Erf")
    with pytest.raises(BundleError) as caught:
        check_runnable(bundle, tmp_path)
    path = tmp_path / "partitions" / "branch0-stage0.onnx"
    assert str(caught.value) == f"{path}: operator 'Erf' is not run on fog nodes"
