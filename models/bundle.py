"""The bundle: a trained model ready to deploy, as a folder.

`bundle.json` beside `whole.onnx` and `partitions/*.onnx`. Frames travel as bytes, so the tensor
`input` is uint8 on the wire (one byte a value), while `input.dtype` is float32: what the graphs
take after the fog node made (pixels / 255 - mean) / std of it.
"""

import errno
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from models.whole_folder import check_folder, write_folder
from pictures.framing import Crop, Fit, Framing

MANIFEST = "bundle.json"
WHOLE = "whole.onnx"
PARTITIONS = "partitions"
ITEM_BYTES = {"uint8": 1, "float32": 4}

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
File = Annotated[str, Field(pattern=rf"^{PARTITIONS}/[a-z0-9-]+\.onnx$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Size = Annotated[int, Field(ge=1, le=2**40)]
Value = Annotated[float, Field(ge=-1e6, le=1e6)]
Label = Annotated[str, Field(pattern="^[^\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]*$", max_length=256)]
Share = Annotated[float, Field(ge=0, le=1)]


class BundleError(Exception):
    """A folder is no bundle that can be deployed; one sentence naming the file or the field."""


class Part(BaseModel):
    """What every piece of a bundle has in common: it never changes, and knows no other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BundleInput(Part):
    """What the graphs take: a picture in [0, 1] less `mean`, over `std`, by channel; batch first.

    `crop` and `fit` are those of `pictures.framing.Framing`: a camera frames its pictures as training did.
    """

    name: Name
    shape: tuple[Literal[1], Size, Size, Size]  # (1, C, H, W)
    dtype: Literal["float32"]
    mean: tuple[Value, ...]
    std: tuple[Annotated[float, Field(ge=1e-9, le=1e6)], ...]
    crop: Crop | None = None
    fit: Fit = "stretch"

    @model_validator(mode="after")
    def _one_number_a_channel(self) -> Self:
        if not len(self.mean) == len(self.std) == self.shape[1]:
            raise ValueError("mean and std need one number for each channel")
        Framing(self.crop, self.fit)
        return self

    @property
    def framing(self) -> Framing:
        """What the network sees of a camera's picture."""
        return Framing(self.crop, self.fit)


class BundleCalibration(Part):
    """How sure an answer is: softmax of logits over `temperature`; below `threshold` it is unknown."""

    temperature: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.0
    threshold: Share = 0.0


class BundlePartition(Part):
    """One ONNX graph; `memory_bytes` is what a fog node needs to run it, `macs` what a frame costs.

    `inputs` and `outputs` are ids of tensors. The fusion belongs to no branch and no stage.
    """

    id: Name
    branch: Count | None
    stage: Count | None
    file: File
    sha256: Sha256
    bytes: Size
    memory_bytes: Size
    macs: Count
    inputs: Annotated[tuple[Name, ...], Field(min_length=1)]
    outputs: Annotated[tuple[Name, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_tensor_once(self) -> Self:
        if len({*self.inputs, *self.outputs}) < len(self.inputs) + len(self.outputs):
            raise ValueError("it takes or makes a tensor twice")
        return self


class BundleTensor(Part):
    """What passes between partitions, as it travels."""

    id: Name
    shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=8)]
    dtype: Literal["uint8", "float32"]
    bytes: Size

    @model_validator(mode="after")
    def _bytes_of_the_shape(self) -> Self:
        if self.bytes != math.prod(self.shape) * ITEM_BYTES[self.dtype]:
            raise ValueError(f"{self.bytes} bytes are not those of {self.shape} {self.dtype}")
        return self


class BundleFusion(Part):
    """Where branches merge: it may answer once `min_inputs` of `inputs` are there.

    A missing input is fed as zeros; nothing is rescaled.
    """

    id: Name
    inputs: Annotated[tuple[Name, ...], Field(min_length=1)]
    min_inputs: Size

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> Self:
        if self.min_inputs > len(self.inputs):
            raise ValueError(f"min_inputs is {self.min_inputs}, inputs are {len(self.inputs)}")
        return self


class BundleAccuracy(Part):
    """Shares of the test pictures classified right, measured with the fusion of the fog nodes.

    `missing`: by the number of missing branches (from 1), the mean over all subsets that are left.
    """

    whole: Share
    missing: dict[Size, Share]

    def told(self) -> str:
        """Say both in words, `98.20% (91.00% without 1)`: of one branch none can be missing."""
        missing = ", ".join(f"{share:.2%} without {n}" for n, share in self.missing.items())
        return f"{self.whole:.2%} ({missing})" if missing else f"{self.whole:.2%}"


class Bundle(Part):
    """A trained model: partitions, the tensors between them, and how well it does."""

    name: Name
    version: Name
    classes: Annotated[tuple[Label, ...], Field(min_length=2, max_length=10_000)]
    input: BundleInput
    partitions: Annotated[tuple[BundlePartition, ...], Field(min_length=1, max_length=10_000)]
    tensors: tuple[BundleTensor, ...]
    fusion: BundleFusion
    genome: Annotated[str, Field(max_length=65_536)]
    accuracy: BundleAccuracy
    calibration: BundleCalibration = BundleCalibration()

    @model_validator(mode="after")
    def _partitions_and_tensors_fit(self) -> Self:
        """Every tensor is made once, before it is taken; the fusion is one of the partitions."""
        described = [tensor.id for tensor in self.tensors]
        made = {self.input.name}
        for part in self.partitions:
            if unmade := [name for name in part.inputs if name not in made]:
                raise ValueError(
                    f"partition {part.id} takes {unmade[0]}, which none before it makes"
                )
            if twice := [name for name in part.outputs if name in made]:
                raise ValueError(f"tensor {twice[0]} is made twice")
            made.update(part.outputs)
        if len(set(described)) < len(described) or set(described) != made:
            raise ValueError("tensors are not those that the partitions take and make, each once")
        if (taken := self.tensor(self.input.name).shape) != self.input.shape:
            raise ValueError(f"tensor {self.input.name}: {taken} is not input.shape")
        if len({part.id for part in self.partitions}) < len(self.partitions):
            raise ValueError("two partitions have the same id")
        fusions = [part for part in self.partitions if part.id == self.fusion.id]
        if not fusions or fusions[0].inputs != self.fusion.inputs:
            raise ValueError("fusion is not one of the partitions with these inputs")
        return self

    def tensor(self, tensor_id: str) -> BundleTensor:
        """Return the tensor of this id; raises KeyError when there is none."""
        for tensor in self.tensors:
            if tensor.id == tensor_id:
                return tensor
        raise KeyError(tensor_id)


def check_name(name: str) -> str:
    """Return the name of a bundle; raises BundleError when it is none."""
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise BundleError(f"name: {name!r} is not small letters, digits and hyphens") from None


def prepare(folder: Path, name: str) -> None:
    """See that a bundle of this name can be written there, before anything long is begun.

    Nothing is made yet. Raises BundleError when it cannot be, or something else lies there.
    """
    check_name(name)
    try:
        check_folder(folder, MANIFEST, (WHOLE, PARTITIONS, f"{MANIFEST}.part"))
    except OSError as error:
        raise BundleError(f"{folder}: cannot write a bundle there ({error.strerror})") from None
    except ValueError as error:
        raise BundleError(f"{folder}: {error}") from None


def write_bundle(folder: Path, bundle: Bundle, whole: bytes, graphs: Mapping[str, bytes]) -> None:
    """Write a bundle's folder, whole or not at all; `graphs` holds the partitions by id.

    One that is there is replaced, `bundle.json` last: one that does not fit its files was never
    finished. Raises BundleError when it cannot be written, or something else lies there.
    """
    prepare(folder, bundle.name)
    files = {part.file: graphs[part.id] for part in bundle.partitions}
    files |= {WHOLE: whole, MANIFEST: bundle.model_dump_json(indent=2).encode() + b"\n"}
    try:
        write_folder(folder, files, MANIFEST)
    except OSError as error:
        raise BundleError(f"{folder}: cannot write the bundle ({error.strerror})") from None


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle and verify every file: hashes, sound ONNX without external data, names, shapes.

    Raises BundleError, one sentence naming the file or the field.
    """
    path = folder / MANIFEST
    try:
        bundle = Bundle.model_validate(json.loads(_read(path), object_pairs_hook=_each_once))
    except OSError:
        raise BundleError(f"{folder}: no bundle there ({MANIFEST} cannot be read)") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise BundleError(f"{path}: {where + ': ' if where else ''}{said}") from None
    except RecursionError:
        raise BundleError(f"{path}: lists and objects are nested too deep") from None
    except ValueError as error:
        raise BundleError(f"{path}: no JSON: {error}") from None
    for part in bundle.partitions:
        _verify(
            folder / part.file,
            {name: bundle.tensor(name).shape for name in part.inputs},
            {name: bundle.tensor(name).shape for name in part.outputs},
            part.sha256,
        )
    logits = {name: bundle.tensor(name).shape for name in bundle.partitions[-1].outputs}
    _verify(folder / WHOLE, {bundle.input.name: bundle.input.shape}, logits)
    return bundle


def _read(path: Path) -> bytes:
    """Read a file; raises OSError also for what is none, such as a pipe that nobody writes to."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
    return path.read_bytes()


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON; of two fields of one name a reader would take the one, a human the other."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    return fields


def sha256(artifact: bytes) -> str:
    """Return the hash by which an artifact is known, in hexadecimal."""
    return hashlib.sha256(artifact).hexdigest()


def _verify(
    path: Path,
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
    expected_sha256: str | None = None,
) -> None:
    from models.graph import GraphError, inspect

    try:
        serialised = _read(path)
    except OSError:
        raise BundleError(f"{path}: missing from the bundle") from None
    if expected_sha256 is not None and sha256(serialised) != expected_sha256:
        raise BundleError(f"{path}: not the file that {MANIFEST} describes (sha256 differs)")
    try:
        graph = inspect(serialised)
    except GraphError as error:
        raise BundleError(f"{path}: {error}") from None
    if graph.inputs != inputs or graph.outputs != outputs:
        raise BundleError(f"{path}: its inputs and outputs are not those that {MANIFEST} describes")
