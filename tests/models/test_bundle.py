"""A bundle comes back as it was written, or is refused with a sentence that names what is wrong."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from pydantic import ValidationError

from evolution.cost import NetworkShape, partition_macs
from evolution.genome import Genome
from models.bundle import Bundle, BundleError, prepare, read_bundle, write_bundle
from models.cnn import BranchedCNN
from models.export import ExportedNetwork, export
from models.winner import describe

GENOME = Genome.parse("1|1 / 0|1")
SHAPE = NetworkShape(classes=2, input=(3, 8, 8), channels=((2, 3),))


@pytest.fixture(scope="module")
def exported() -> tuple[Bundle, ExportedNetwork]:
    torch.manual_seed(0)
    model = BranchedCNN(GENOME, SHAPE).eval()
    network = export(model)
    return describe(model, network, ("cat", "dog"), (0.9, 0.8), "pets"), network


@pytest.fixture
def folder(exported: tuple[Bundle, ExportedNetwork], tmp_path: Path) -> Path:
    bundle, network = exported
    write_bundle(tmp_path / "pets", bundle, network.whole, network.graphs)
    return tmp_path / "pets"


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what bundle.json says."""
    path = folder / "bundle.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_bundle_is_read_as_it_was_written(
    exported: tuple[Bundle, ExportedNetwork], folder: Path
) -> None:
    assert read_bundle(folder) == exported[0]
    assert Bundle.model_validate(exported[0].model_dump(mode="json")) == exported[0]
    assert sorted(path.name for path in folder.iterdir()) == [
        "bundle.json",
        "partitions",
        "whole.onnx",
    ]


def test_bundle_json_says_what_the_design_lists(folder: Path) -> None:
    content = json.loads((folder / "bundle.json").read_text())
    assert list(content) == [
        "name",
        "version",
        "classes",
        "input",
        "partitions",
        "tensors",
        "fusion",
        "genome",
        "accuracy",
        "calibration",
    ]
    assert content["input"]["shape"] == [1, 3, 8, 8]
    assert content["accuracy"] == {"whole": 0.9, "missing": {"1": 0.8}}
    assert content["fusion"] == {
        "id": "fusion",
        "inputs": ["branch0-logits", "branch1-logits"],
        "min_inputs": 1,
    }
    first = content["partitions"][0]
    graph = (folder / first["file"]).read_bytes()
    assert first["bytes"] == len(graph)
    assert first["sha256"] == hashlib.sha256(graph).hexdigest()
    assert first["macs"] == partition_macs(GENOME, SHAPE)[0, 0]
    assert first["memory_bytes"] > first["bytes"]


def test_frames_travel_as_bytes_and_tensors_as_floats(
    exported: tuple[Bundle, ExportedNetwork],
) -> None:
    bundle, _ = exported
    picture, between = bundle.tensor("input"), bundle.tensor("branch0-stage0")
    assert (picture.dtype, picture.bytes, bundle.input.dtype) == ("uint8", 3 * 8 * 8, "float32")
    assert (between.dtype, between.shape, between.bytes) == ("float32", (1, 2, 4, 4), 4 * 2 * 4 * 4)
    with pytest.raises(KeyError):
        bundle.tensor("branch9-logits")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: b.pop("genome"), "genome: Field required"),
        (lambda b: b.update(extra=1), "extra: Extra inputs"),
        (lambda b: b.update(name="../up"), "name: String should match"),
        (lambda b: b["partitions"][0].update(file="../../secret.onnx"), "partitions.0.file"),
        (lambda b: b["partitions"][0].update(inputs=["unknown"]), "takes unknown"),
        (lambda b: b["partitions"].reverse(), "which none before it makes"),
        (lambda b: b["partitions"][1].update(outputs=["branch0-stage0"]), "is made twice"),
        (lambda b: b["partitions"][1].update(id="branch0-stage0"), "same id"),
        (lambda b: b["tensors"].pop(), "tensors are not those"),
        (lambda b: b["tensors"][0].update(bytes=7), "tensors.0: .*7 bytes are not those"),
        (lambda b: b["fusion"].update(min_inputs=3), "min_inputs is 3"),
        (lambda b: b["fusion"].update(id="branch0-stage0"), "fusion is not one of"),
        (lambda b: b["input"].update(shape=[1, 3, 8, 4]), "tensor input: .* is not input.shape"),
        (lambda b: b["input"].update(mean=[0.5]), "mean and std need one number"),
        (lambda b: b["accuracy"].update(whole=1.5), "accuracy.whole"),
        (lambda b: b["partitions"][0].update(sha256="0" * 64), "sha256 differs"),
    ],
)
def test_a_false_bundle_json_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    rewritten(folder, change)
    with pytest.raises(BundleError, match=reason) as refused:
        read_bundle(folder)
    assert "\n" not in str(refused.value)


def test_missing_and_foreign_files_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="absent: no bundle there"):
        read_bundle(tmp_path / "absent")
    part = folder / "partitions" / "branch1-stage1.onnx"
    content = part.read_bytes()
    part.write_bytes(content[:-1])
    with pytest.raises(BundleError, match=r"branch1-stage1\.onnx: not the file"):
        read_bundle(folder)
    part.unlink()
    with pytest.raises(BundleError, match=r"branch1-stage1\.onnx: missing"):
        read_bundle(folder)
    part.write_bytes(content)
    (folder / "whole.onnx").write_bytes(b"not a model")
    with pytest.raises(BundleError, match=r"whole\.onnx: not an ONNX model"):
        read_bundle(folder)
    (folder / "whole.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"whole\.onnx: its inputs and outputs"):
        read_bundle(folder)


def test_weights_outside_the_model_are_refused_even_with_the_right_hash(folder: Path) -> None:
    path = folder / "partitions" / "fusion.onnx"
    model = onnx.load_from_string(path.read_bytes())
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../../etc/passwd")
    path.write_bytes(model.SerializeToString())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rewritten(folder, lambda b: b["partitions"][-1].update(sha256=digest))
    with pytest.raises(BundleError, match="lie outside the model"):
        read_bundle(folder)


def test_a_bundle_never_changes(exported: tuple[Bundle, ExportedNetwork]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        exported[0].name = "other"  # type: ignore[misc]


def test_a_bad_name_or_folder_is_found_before_anything_long_begins(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="name: 'My Pets' is not"):
        prepare(tmp_path, "My Pets")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BundleError, match="cannot write a bundle there"):
        prepare(tmp_path / "file", "pets")
    prepare(tmp_path / "new", "pets")
    assert not (tmp_path / "new").exists()


def test_what_is_somebody_elses_is_not_written_over(
    exported: tuple[Bundle, ExportedNetwork], folder: Path, tmp_path: Path
) -> None:
    bundle, network = exported
    cats = tmp_path / "cats"
    cats.mkdir()
    (cats / "1.png").write_text("a cat")
    with pytest.raises(BundleError, match=r"cats: is not empty, there is 1\.png in it"):
        write_bundle(cats, bundle, network.whole, network.graphs)
    assert [path.name for path in cats.iterdir()] == ["1.png"]
    # An older bundle is replaced, though, and nothing of it stays among the partitions.
    (folder / "partitions" / "branch9-stage0.onnx").write_bytes(b"older")
    (folder / "notes.txt").write_text("mine")
    again = bundle.model_copy(update={"name": "again"})
    write_bundle(folder, again, network.whole, network.graphs)
    assert read_bundle(folder) == again
    assert {path.name for path in (folder / "partitions").iterdir()} == {
        Path(part.file).name for part in bundle.partitions
    }
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a bundle"])
def test_whoever_is_ended_while_it_writes_leaves_what_was_there(
    exported: tuple[Bundle, ExportedNetwork],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: str,
) -> None:
    bundle, network = exported
    folder = tmp_path / "pets"
    if there == "an empty folder":
        folder.mkdir()
    elif there == "a bundle":
        write_bundle(folder, bundle, network.whole, network.graphs)
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    write, written = Path.write_bytes, iter(range(3))

    def ended(path: Path, data: bytes) -> int:
        if next(written, None) is None:
            raise KeyboardInterrupt
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", ended)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(folder, bundle, network.whole, network.graphs)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON"),
        ("[]", "Input should be"),
        ("[" * 100_000, "nested too deep"),
        ('{"name": "a", "name": "b"}', "twice"),
        ('{"name": NaN}', "name: "),
        ("9" * 5000, "no JSON"),
        ("\ud800", "no JSON"),
    ],
)
def test_what_is_no_bundle_json_is_one_line(folder: Path, text: str, says: str) -> None:
    (folder / "bundle.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BundleError, match=says) as refused:
        read_bundle(folder)
    assert "\n" not in str(refused.value)


def test_a_pipe_in_a_bundle_is_not_waited_for(folder: Path) -> None:
    for name in ("whole.onnx", "bundle.json"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(BundleError, match=name):
            read_bundle(folder)
