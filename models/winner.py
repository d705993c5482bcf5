"""The winner of a search: trained in full, measured on the test pictures, exported, written down."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from evolution.cost import NetworkShape, partition_macs
from evolution.genome import Genome
from models.bundle import (
    ITEM_BYTES,
    PARTITIONS,
    Bundle,
    BundleAccuracy,
    BundleCalibration,
    BundleFusion,
    BundleInput,
    BundlePartition,
    BundleTensor,
    prepare,
    sha256,
    write_bundle,
)
from models.calibration import calibrate
from models.cnn import BranchedCNN
from models.evaluator import seeded_network, torch_threads
from models.export import ExportedNetwork, export
from models.graph import inspect
from models.ids import FUSION, INPUT
from models.outcome import Outcome
from models.training import (
    Progress,
    Schedule,
    measured_partial_logits,
    right_by_missing,
    train,
)
from pictures.dataset import Dataset
from pictures.framing import WHOLE, Framing
from pictures.labelled import Pictures

UNCALIBRATED: Final = BundleCalibration()
"""The plain softmax, and every answer is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What came of a training: the bundle that was written, and what it answered to the test pictures.

    validation: how many training pictures chose the epoch and the calibration. epoch: the one kept.
    """

    bundle: Bundle
    outcome: Outcome
    validation: int
    epoch: int


def build_bundle(
    genome: Genome,
    dataset: Dataset,
    shape: NetworkShape,
    schedule: Schedule,
    folder: Path,
    *,
    name: str,
    validation: int | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Train a genome on the training pictures and write the bundle into `folder`.

    validation: so many training pictures are not trained on; they choose the epoch that is kept,
    the temperature and the threshold. Without any the last epoch is kept, and nothing is calibrated.
    threads: torch threads while it is trained (None: as many as torch takes).
    The accuracy in the bundle is that on the test pictures, whole and by missing branches, with
    the fusion of the fog nodes. Equal arguments (and torch threads) give equal files. Raises
    ValueError when data set and shape do not fit or training diverges, BundleError when the folder
    cannot be written or the name is not valid.
    """
    if dataset.shape != shape.input or len(dataset.classes) != shape.classes:
        raise ValueError(
            f"input: {dataset.name} has pictures {dataset.shape} of {len(dataset.classes)} classes, "
            f"the network takes {shape.input} of {shape.classes}"
        )
    prepare(folder, name)
    pictures, validating = dataset.train, None
    if validation:
        pictures, validating = dataset.train.split(validation)
    model = seeded_network(genome, shape, schedule.seed)
    with torch_threads(threads):
        epoch = train(model, pictures, schedule, progress, validating)
    calibration = BundleCalibration() if validating is None else _calibrated(model, validating)
    partial = measured_partial_logits(model, dataset.test)  # (B, N, classes)
    bias = model.fusion.bias.detach()
    accuracy = right_by_missing(partial, bias, torch.tensor(dataset.test.labels))
    outcome = Outcome(
        classes=dataset.classes,
        labels=dataset.test.labels,
        logits=(partial.sum(0) + bias).double().numpy(),
        missing=accuracy[1:],
        temperature=calibration.temperature,
        threshold=calibration.threshold,
        files=dataset.test.files,
    )
    exported = export(model)
    bundle = describe(
        model, exported, dataset.classes, accuracy, name,
        framing=dataset.framing, calibration=calibration,
    )  # fmt: skip
    write_bundle(folder, bundle, exported.whole, exported.graphs)
    return Trained(bundle, outcome, 0 if validating is None else len(validating), epoch)


def _calibrated(model: BranchedCNN, validation: Pictures) -> BundleCalibration:
    """Return the temperature and the threshold that suit the validation pictures."""
    partial = measured_partial_logits(model, validation).double().numpy()  # (B, N, classes)
    whole = partial.sum(0) + model.fusion.bias.detach().double().numpy()  # (N, classes)
    one_missing = whole - partial if len(partial) > 1 else None
    return calibrate(whole, validation.labels, one_missing)


def describe(
    model: BranchedCNN,
    exported: ExportedNetwork,
    classes: tuple[str, ...],
    accuracy: tuple[float, ...],
    name: str,
    *,
    framing: Framing = WHOLE,
    calibration: BundleCalibration = UNCALIBRATED,
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
            crop=framing.crop,
            fit=framing.fit,
        ),
        partitions=tuple(parts),
        tensors=tuple(_tensor(tensor_id, shape) for tensor_id, shape in exported.shapes.items()),
        fusion=BundleFusion(id=FUSION, inputs=fusion.inputs, min_inputs=1),
        genome=str(model.genome),
        accuracy=BundleAccuracy(whole=accuracy[0], missing=dict(enumerate(accuracy[1:], start=1))),
        calibration=calibration,
    )


def _tensor(tensor_id: str, shape: tuple[int, ...]) -> BundleTensor:
    """Describe a tensor on the wire: the picture travels as bytes, everything else as float32."""
    dtype = "uint8" if tensor_id == INPUT else "float32"
    return BundleTensor(
        id=tensor_id, shape=shape, dtype=dtype, bytes=math.prod(shape) * ITEM_BYTES[dtype]
    )
