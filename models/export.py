"""From torch to ONNX: the whole network once, then cut into one graph per branch and stage.

torch's exporter writes the whole network with every tensor of the cut as a named output; the
partitions and the whole are then extracted from that one model in memory, so that they share the
weights and nothing is exported twice.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import onnx
import torch
from onnx.utils import Extractor
from torch import Tensor, nn

from evolution.genome import Genome
from models.cnn import BranchedCNN
from models.ids import FUSION, INPUT, LOGITS, partial_logits_id, partition_id

OPSET = 18


@dataclass(frozen=True, slots=True)
class Part:
    """One partition: its ONNX graph takes `inputs` and gives `outputs`, names of tensors.

    The fusion belongs to no branch and no stage.
    """

    id: str
    branch: int | None
    stage: int | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportedNetwork:
    """The whole network and its partitions as serialised ONNX models, batch 1, float32."""

    whole: bytes
    parts: tuple[Part, ...]
    graphs: dict[str, bytes]  # by partition id
    shapes: dict[str, tuple[int, ...]]  # of every tensor between partitions, by its name


def cut(genome: Genome) -> tuple[Part, ...]:
    """Return the partitions of a network, each after those it takes from: by stage, branch, fusion last."""
    last = genome.stage_count - 1
    parts = [
        Part(
            partition_id(branch, stage),
            branch,
            stage,
            tuple(partition_id(a, stage - 1) for a in genome.sources(branch, stage)) or (INPUT,),
            (partial_logits_id(branch) if stage == last else partition_id(branch, stage),),
        )
        for stage in range(genome.stage_count)
        for branch in range(genome.branch_count)
    ]
    logits = tuple(partial_logits_id(branch) for branch in range(genome.branch_count))
    return (*parts, Part(FUSION, None, None, logits, (LOGITS,)))


def export(model: BranchedCNN) -> ExportedNetwork:
    """Export a trained network and cut it.

    Whole, partitions in sequence and torch agree within 1e-4. The input is one normalised picture
    (1, C, H, W). The fusion takes the partial logits of all branches; a missing one is fed as
    zeros. No graph has external data; equal weights give equal bytes.
    """
    parts = cut(model.genome)
    names = tuple(dict.fromkeys(name for part in parts for name in part.outputs))
    complete = _complete(model, names)
    extractor = Extractor(complete)
    graphs = {part.id: _extract(extractor, part.inputs, part.outputs) for part in parts}
    shapes = {
        value.name: tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        for value in (*complete.graph.input, *complete.graph.output)
    }
    return ExportedNetwork(_extract(extractor, (INPUT,), (LOGITS,)), parts, graphs, shapes)


class _EveryTensor(nn.Module):
    """The network with every tensor of the cut as an output, in the order of `names`."""

    def __init__(self, model: BranchedCNN, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        by_stage = self.model.stage_outputs(x)
        partial = [
            head(output) for head, output in zip(self.model.heads, by_stage[-1], strict=True)
        ]
        tensors = {
            partition_id(branch, stage): output
            for stage, outputs in enumerate(by_stage)
            for branch, output in enumerate(outputs)
        }
        tensors |= {partial_logits_id(branch): logits for branch, logits in enumerate(partial)}
        tensors[LOGITS] = self.model.fusion(*partial)
        return tuple(tensors[name] for name in self.names)


def _complete(model: BranchedCNN, names: Sequence[str]) -> onnx.ModelProto:
    picture = torch.zeros(1, *model.shape.input)  # (1, C, H, W)
    with _quiet():
        program = torch.onnx.export(
            _EveryTensor(model, names).eval(),
            (picture,),
            input_names=[INPUT],
            output_names=list(names),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no model")
    complete = program.model_proto
    written = [value.name for value in complete.graph.output]
    if written != list(names):
        raise RuntimeError(f"torch.onnx.export named its outputs {written}, not {list(names)}")
    return complete


def _extract(extractor: Extractor, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """Cut one graph out, without the exporter's notes (they hold paths and differ by run)."""
    part = extractor.extract_model(list(inputs), list(outputs))
    graph = part.graph
    del graph.value_info[:]
    for noted in (part, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del noted.metadata_props[:]
        noted.doc_string = ""
    graph.name = "fogweave"
    onnx.checker.check_model(part, full_check=True)
    serialised: bytes = part.SerializeToString(deterministic=True)
    return serialised


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from the user what torch's exporter says about itself."""
    logger = logging.getLogger("torch.onnx")  # "torchvision is not installed", at every export
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
