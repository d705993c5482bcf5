"""The winner of a search: trained in full, measured on the test pictures, exported, written down."""

import math
from collections.abc import Callable
from pathlib import Path

from evolution.cost import NetworkShape, partition_macs
from evolution.genome import Genome
from models.bundle import (
    ITEM_BYTES,
    PARTITIONS,
    Bundle,
    BundleAccuracy,
    BundleFusion,
    BundleInput,
    BundlePartition,
    BundleTensor,
    prepare,
    sha256,
    write_bundle,
)
from models.cnn import BranchedCNN
from models.evaluator import seeded_network
from models.export import ExportedNetwork, export
from models.graph import inspect
from models.ids import FUSION, INPUT
from models.training import Progress, Schedule, accuracy_by_missing, train
from pictures.dataset import Dataset


def build_bundle(
    genome: Genome,
    dataset: Dataset,
    shape: NetworkShape,
    schedule: Schedule,
    folder: Path,
    *,
    name: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Bundle:
    """Train a genome on all training pictures and write the bundle into `folder`.

    The accuracy in the bundle is that on the test pictures, whole and by missing branches, with
    the fusion of the fog nodes. Equal arguments (and torch threads) give equal files. Raises
    ValueError when data set and shape do not fit, BundleError when the folder cannot be written or
    the name is not valid.
    """
    if dataset.shape != shape.input or len(dataset.classes) != shape.classes:
        raise ValueError(
            f"input: {dataset.name} has pictures {dataset.shape} of {len(dataset.classes)} classes, "
            f"the network takes {shape.input} of {shape.classes}"
        )
    prepare(folder, name)
    model = seeded_network(genome, shape, schedule.seed)
    train(model, dataset.train, schedule, progress)
    accuracy = accuracy_by_missing(model, dataset.test)
    exported = export(model)
    bundle = describe(model, exported, dataset.classes, accuracy, name)
    write_bundle(folder, bundle, exported.whole, exported.graphs)
    return bundle


def describe(
    model: BranchedCNN,
    exported: ExportedNetwork,
    classes: tuple[str, ...],
    accuracy: tuple[float, ...],
    name: str,
) -> Bundle:
    """Write down an exported network; `accuracy` by the number of missing branches, from none.

    The version is a hash of the graphs: equal networks have equal versions.
    """
    macs = partition_macs(model.genome, model.shape)
    hashes = {part.id: sha256(exported.graphs[part.id]) for part in exported.parts}
    parts = [
        BundlePartition(
            id=part.id,
            branch=part.branch,
            stage=part.stage,
            file=f"{PARTITIONS}/{part.id}.onnx",
            sha256=hashes[part.id],
            bytes=len(exported.graphs[part.id]),
            memory_bytes=inspect(exported.graphs[part.id]).memory_bytes,
            macs=0 if part.branch is None or part.stage is None else macs[part.branch, part.stage],
            inputs=part.inputs,
            outputs=part.outputs,
        )
        for part in exported.parts
    ]
    fusion = next(part for part in parts if part.id == FUSION)
    return Bundle(
        name=name,
        version=sha256(" ".join(hashes.values()).encode())[:12],
        classes=classes,
        input=BundleInput(
            name=INPUT,
            shape=(1, *model.shape.input),
            dtype="float32",
            mean=tuple(model.mean.tolist()),
            std=tuple(model.std.tolist()),
        ),
        partitions=tuple(parts),
        tensors=tuple(_tensor(tensor_id, shape) for tensor_id, shape in exported.shapes.items()),
        fusion=BundleFusion(id=FUSION, inputs=fusion.inputs, min_inputs=1),
        genome=str(model.genome),
        accuracy=BundleAccuracy(whole=accuracy[0], missing=dict(enumerate(accuracy[1:], start=1))),
    )


def _tensor(tensor_id: str, shape: tuple[int, ...]) -> BundleTensor:
    """Describe a tensor on the wire: the picture travels as bytes, everything else as float32."""
    dtype = "uint8" if tensor_id == INPUT else "float32"
    return BundleTensor(
        id=tensor_id, shape=shape, dtype=dtype, bytes=math.prod(shape) * ITEM_BYTES[dtype]
    )
