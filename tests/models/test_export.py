"""torch, the whole ONNX model and its partitions in a row say the same."""

import hashlib

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import torch
from hypothesis import HealthCheck, Phase, example, given, settings
from torch import nn

from broker.graph.check import check_graph
from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.cnn import BranchedCNN
from models.export import ExportedNetwork, cut, export
from models.graph import inspect
from tests.models.strategies import networks

FLAT = NetworkShape(classes=3, input=(1, 8, 8), channels=((2, 3), (1, 2)))

Array = npt.NDArray[np.float32]


def as_if_trained(genome: Genome, shape: NetworkShape) -> BranchedCNN:
    """A network whose batch norms and bias are not at their beginnings."""
    model = BranchedCNN(genome, shape)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 2)
                module.bias.normal_()
        model.fusion.bias.normal_()
    return model.eval()


def run(graph: bytes, inputs: dict[str, Array]) -> dict[str, Array]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def run_in_sequence(exported: ExportedNetwork, picture: Array) -> dict[str, Array]:
    tensors = {"input": picture}
    for part in exported.parts:
        outputs = run(exported.graphs[part.id], {name: tensors[name] for name in part.inputs})
        assert tuple(outputs) == part.outputs
        tensors |= outputs
    return tensors


@given(networks())
@example((Genome.parse("1|1 / 0|1 ; widths 1,0 ; exchange 11"), FLAT))
@example((Genome.parse("1-01"), NetworkShape(2, (3, 8, 8), ((2,),))))
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # an export takes seconds: no shrinking
    suppress_health_check=[HealthCheck.too_slow],
)
def test_torch_whole_and_partitions_agree(network: tuple[Genome, NetworkShape]) -> None:
    model = as_if_trained(*network)
    exported = export(model)
    picture = torch.randn(1, *network[1].input)
    with torch.no_grad():
        expected = model(picture).numpy()
    tensors = run_in_sequence(exported, picture.numpy())
    whole = run(exported.whole, {"input": picture.numpy()})
    assert list(whole) == ["logits"]
    np.testing.assert_allclose(whole["logits"], expected, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(tensors["logits"], expected, atol=1e-4, rtol=1e-4)
    assert {name: values.shape for name, values in tensors.items()} == exported.shapes
    for graph in exported.graphs.values():
        described, needs = inspect(graph), check_graph(graph, inspect(graph).memory_bytes)
        assert (needs.inputs, needs.outputs) == (described.inputs, described.outputs)


@pytest.fixture(scope="module")
def three_branches() -> tuple[BranchedCNN, ExportedNetwork]:
    torch.manual_seed(0)
    model = as_if_trained(Genome.parse("1|1 / 0|0 / 1|0"), FLAT)
    return model, export(model)


def test_partitions_are_named_by_branch_and_stage_and_come_after_what_they_take() -> None:
    parts = cut(Genome.parse("1|1 / 1|1 ; exchange 10"))
    assert [(part.id, part.inputs, part.outputs) for part in parts] == [
        ("branch0-stage0", ("input",), ("branch0-stage0",)),
        ("branch1-stage0", ("input",), ("branch1-stage0",)),
        ("branch0-stage1", ("branch0-stage0",), ("branch0-logits",)),
        ("branch1-stage1", ("branch1-stage0", "branch0-stage0"), ("branch1-logits",)),
        ("fusion", ("branch0-logits", "branch1-logits"), ("logits",)),
    ]


def test_the_fusion_takes_zeros_for_a_missing_branch(
    three_branches: tuple[BranchedCNN, ExportedNetwork],
) -> None:
    model, exported = three_branches
    picture = torch.randn(1, 1, 8, 8)
    partial = model.partial_logits(picture).detach()  # (3, 1, classes)
    inputs = {f"branch{branch}-logits": partial[branch].numpy() for branch in range(3)}
    inputs["branch1-logits"] = np.zeros((1, 3), np.float32)
    logits = run(exported.graphs["fusion"], inputs)["logits"]
    expected = (partial[0] + partial[2] + model.fusion.bias).detach().numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_a_partition_holds_its_own_weights_only_and_no_notes_of_the_exporter(
    three_branches: tuple[BranchedCNN, ExportedNetwork],
) -> None:
    _, exported = three_branches
    assert len(exported.graphs["fusion"]) < 1000
    for graph in (exported.whole, *exported.graphs.values()):
        assert b"site-packages" not in graph
        assert b"models/cnn.py" not in graph


def test_exporting_again_gives_the_same_bytes(
    three_branches: tuple[BranchedCNN, ExportedNetwork],
) -> None:
    model, exported = three_branches
    again = export(model)
    for part, graph in exported.graphs.items():
        assert hashlib.sha256(graph).digest() == hashlib.sha256(again.graphs[part]).digest(), part


def test_memory_counts_weights_twice_and_the_tensors_alive_at_once(
    three_branches: tuple[BranchedCNN, ExportedNetwork],
) -> None:
    _, exported = three_branches
    weights = 2 * 1 * 9 + 2  # one convolution 1 -> 2 channels, batch norm folded into its bias
    activations = 2 * (2 * 8 * 8)  # before and after its ReLU; the picture is no longer needed
    memory = inspect(exported.graphs["branch1-stage0"]).memory_bytes
    assert memory == 512 * 1024 + 4 * (2 * weights + activations)
