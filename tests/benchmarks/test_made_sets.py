"""Sets made from photographs: equal files for a seed, and a thing of 1 to 3 % of the picture in one place."""

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.made.sets import SHARES, Kind, MadeSet, pictures, write
from benchmarks.made.things import COLOURS, STANDING, drawn

SMALL = (160, 120)


def test_a_seed_gives_equal_files_and_another_seed_another_scene(tmp_path: Path) -> None:
    for folder, seed in (("one", 1), ("again", 1), ("other", 2)):
        write(MadeSet(pictures=2, test=1, seed=seed, size=SMALL), tmp_path / folder)
    names = [str(path.relative_to(tmp_path / "one")) for path in (tmp_path / "one").rglob("*.jpg")]
    assert sorted(names) == [
        "test/in/000.jpg",
        "test/out/000.jpg",
        "train/in/000.jpg",
        "train/in/001.jpg",
        "train/out/000.jpg",
        "train/out/001.jpg",
    ]
    encoded = {
        folder: [(tmp_path / folder / name).read_bytes() for name in names]
        for folder in ("one", "again", "other")
    }
    assert encoded["one"] == encoded["again"]
    assert not set(encoded["one"]) & set(encoded["other"])
    assert len(set(encoded["one"])) == len(names)  # no picture twice


@pytest.mark.parametrize(("kind", "classes"), [("presence", 2), ("state", 2), ("five", 5)], ids=str)
@pytest.mark.parametrize("poor", [False, True], ids=["good camera", "poor cameras"])
def test_every_kind_has_its_classes_in_the_size_asked_for(
    kind: Kind, classes: int, poor: bool
) -> None:
    made = list(pictures(MadeSet(kind, seed=3, size=SMALL, poor=poor), "train", 2))
    assert len({name for name, _, _ in made}) == classes
    assert [number for _, number, _ in made] == [0, 1] * classes
    for _, _, encoded in made:
        with Image.open(BytesIO(encoded)) as image:
            assert (image.format, image.size) == ("JPEG", SMALL)


@pytest.mark.parametrize("name", sorted(STANDING))
@pytest.mark.parametrize("share", SHARES)
def test_a_thing_covers_the_share_that_it_is_drawn_for(name: str, share: float) -> None:
    pixels = share * 640 * 480
    covered = np.asarray(drawn(STANDING[name], COLOURS[0], pixels))[:, :, 3].sum() / 255
    assert covered == pytest.approx(pixels, rel=0.05)


def test_light_changes_more_than_the_thing_does() -> None:
    """What makes it hard: two pictures of a class differ more than the classes' means."""
    found = list(pictures(MadeSet(seed=4, size=SMALL), "train", 12))
    values = np.stack([np.asarray(Image.open(BytesIO(each)), np.float64) for _, _, each in found])
    within = np.mean([np.abs(a - b).mean() for a, b in pairwise(values[:12])])
    between = np.abs(values[:12].mean(0) - values[12:].mean(0)).mean()
    assert within > 2 * between
