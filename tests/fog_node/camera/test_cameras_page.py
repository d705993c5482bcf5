"""``docs/cameras.md`` says what the code does: the counters, the fields, and an example that can be run."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from broker.files.file_model import read_model
from fog_node.camera.answer_line import COUNTED
from fog_node.camera.cameras_file import CameraEntry, CamerasFile
from fog_node.camera.cameras_plan import plan
from fog_node.camera.stream import StreamCounters
from fog_node.sources.newest import NewestCounters
from pictures.payload import Refusal

PAGE = (Path(__file__).parents[3] / "docs" / "cameras.md").read_text(encoding="utf-8")


def names_of(table: str) -> set[str]:
    """Return the names in the first column of a table."""
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}


def test_every_counter_is_explained() -> None:
    counted = {each.name for kind in (StreamCounters, NewestCounters) for each in fields(kind)}
    counted |= {*COUNTED, *get_args(Refusal)} - {"oldest_s"}
    explained = names_of(PAGE.split("<!-- counters")[1])
    assert counted - {"oldest_s"} <= explained


def test_every_field_of_a_camera_is_explained() -> None:
    table = PAGE.split("| field |")[1].split("## What is counted")[0]
    assert names_of(table) == set(CameraEntry.model_fields)


def test_the_example_is_one(tmp_path: Path) -> None:
    example = PAGE.split("```yaml")[1].split("```")[0]
    path = tmp_path / "cameras.yaml"
    path.write_text(example, encoding="utf-8")
    environment = {"DOOR_SOURCE": "rtsp://me:word@door/1", "FRIGATE_PASSWORD": "word"}
    planned = plan(read_model(path, CamerasFile), tmp_path, environment)
    assert [each.name for each in planned] == ["door", "yard", ""]
