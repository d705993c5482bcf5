"""What of each picture a search looks at: size, colour and zone."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.first_fault import first_fault
from coordinator.files import FileError
from coordinator.inspect.wanted import Shape
from coordinator.search.input import InputConfig
from coordinator.search.run_folder import Run
from pictures.framing import Framing
from tests.coordinator.search.toys import config
from tests.pictures.made_pictures import write_idx_folder, write_picture

SUITS = (3, 72, 96)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, (3, 72, 96)),
        ({"size": 64}, (3, 48, 64)),
        ({"size": 128}, (3, 96, 128)),  # whoever asks for more gets more
        ({"size": [40, 30]}, (3, 30, 40)),
        ({"colour": "grey"}, (1, 72, 96)),
        ({"size": 1}, (3, 1, 1)),
    ],
)
def test_an_input_has_the_shape_that_was_asked_for(fields: dict[str, Any], shape: Shape) -> None:
    assert InputConfig.model_validate(fields).shape(SUITS) == shape


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"size": 0}, "size: "),
        ({"size": 5000}, "size: "),
        ({"size": True}, "size: "),
        ({"size": 1.5}, "size: "),
        ({"size": "96"}, "size: "),
        ({"size": [64]}, "size: "),
        ({"size": [64, 48, 3]}, "size: "),
        ({"size": [64, -48]}, "size: "),
        ({"colour": "blue"}, "colour: "),
        ({"crop": [0.5, 0.0, 0.6, 1.0]}, "crop: left + width"),
        ({"crop": [0.0, 0.0, float("nan"), 1.0]}, "crop: "),
        ({"crop": [0.0, 0.0, 1.0]}, "crop"),
        ({"fit": "zoom"}, "fit: "),
        ({"sise": 3}, "sise: "),
    ],
)
def test_what_is_no_input_is_refused_by_its_field(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as raised:
        InputConfig.model_validate(fields)
    assert fault in first_fault(raised.value, "input").replace("Value error, ", "")


def test_a_data_set_is_loaded_as_the_networks_see_it(tmp_path: Path) -> None:
    for name, level in (("cat", 30), ("dog", 200)):
        for number in range(10):
            path = tmp_path / "pets" / name / f"{number}.png"
            write_picture(path, level + number, (40, 20), "RGB")
    wanted = InputConfig(size=16, crop=(0.0, 0.0, 0.5, 1.0))
    dataset = wanted.load(str(tmp_path / "pets"))
    assert dataset.shape == (3, 16, 16)
    assert dataset.framing == Framing((0.0, 0.0, 0.5, 1.0))
    digits = write_idx_folder(tmp_path / "digits", size=8)
    assert InputConfig().load(str(digits)).shape == (1, 8, 8)
    assert InputConfig(size=4).load(str(digits)).shape == (1, 4, 4)


def test_a_zone_has_its_own_aspect(tmp_path: Path) -> None:
    for number in range(10):
        for name in ("cat", "dog"):
            path = tmp_path / name / f"{number}.png"
            write_picture(path, 20 * number + len(name) + ord(name[0]) % 7, (400, 200), "RGB")
    wide = InputConfig(crop=(0.5, 0.0, 0.125, 1.0)).load(str(tmp_path))
    assert wide.shape == (3, 64, 16)


def test_so_large_a_frame_is_refused_before_it_is_read(tmp_path: Path) -> None:
    for number in range(10):
        for name in ("cat", "dog"):
            write_picture(tmp_path / name / f"{number}.png", 20 * number, (40, 30), "RGB")
    with pytest.raises(ValueError, match=r"input\.size: a frame of 4000x3000 has 36,000,000 bytes"):
        InputConfig(size=4000).load(str(tmp_path))


def test_a_run_goes_on_with_the_same_input_only(tmp_path: Path) -> None:
    Run(tmp_path, config(), resume=False)
    Run(tmp_path, config(input={"fit": "stretch"}), resume=True)
    with pytest.raises(FileError, match="input: this run was begun with another"):
        Run(tmp_path, config(input={"size": 14}), resume=True)
