"""Class folders of JPEGs: a fixed scene, and a small thing by which its classes differ.

Everything follows from the seed: photograph and view, the thing, its colour, size and place, light
and camera. So sets of different seeds have little in common, and one seed gives equal files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image

from benchmarks.made.camera import GOOD, POOR, Camera, Light, jpeg, lit, taken
from benchmarks.made.scene import scene
from benchmarks.made.things import COLOURS, STANDING, STATES, Thing, drawn

SHARES: Final = (0.01, 0.03)  # of the picture, covered by the thing
Kind = Literal["presence", "state", "five"]


@dataclass(frozen=True, slots=True)
class MadeSet:
    """One set, not made yet.

    kind: `presence` (in, out: a thing is not there, or is), `state` (closed, open), `five` (nothing
    and four things that take each other's place). pictures: in every class, in `train`; `test`: in
    every class, in a folder `test` beside. poor: other cameras, and passers-by in every second picture.
    """

    kind: Kind = "presence"
    pictures: int = 80
    test: int = 0
    seed: int = 0
    size: tuple[int, int] = (640, 480)  # (width, height)
    poor: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What all pictures of a set share: the scene, where the thing stands, what each class shows."""

    background: Image.Image
    place: tuple[float, float]  # of the thing's middle, as shares of width and height
    pixels: float  # that the thing covers
    classes: dict[str, Image.Image | None]
    cameras: tuple[Camera, ...]


def write(made: MadeSet, folder: Path) -> Path:
    """Write a set: `CLASS/NNN.jpg`, or with test pictures `train/CLASS/…` and `test/CLASS/…`."""
    for part, count in (("train", made.pictures), ("test", made.test)):
        into = folder / part if made.test else folder
        for name, number, encoded in pictures(made, part, count):
            (into / name).mkdir(parents=True, exist_ok=True)
            (into / name / f"{number:03}.jpg").write_bytes(encoded)
    return folder


def pictures(made: MadeSet, part: str, count: int) -> Iterator[tuple[str, int, bytes]]:
    """Yield class, number and JPEG of `count` pictures in every class; parts share no picture."""
    view = _view(made)
    for index, (name, sprite) in enumerate(view.classes.items()):
        for number in range(count):
            random = np.random.default_rng([made.seed, index, number, *part.encode()])
            yield name, number, _picture(made, view, sprite, random)


def _view(made: MadeSet) -> View:
    random = np.random.default_rng([made.seed, *made.kind.encode()])
    width, height = made.size
    background = scene(random, made.size)
    pixels = random.uniform(*SHARES) * width * height
    place = (random.uniform(0.2, 0.8), random.uniform(0.3, 0.8))
    cameras = POOR if made.poor else GOOD
    classes = _classes(made.kind, random)
    sprites = {
        name: None if thing is None else drawn(thing[0], COLOURS[thing[1]], pixels)
        for name, thing in classes.items()
    }
    return View(background, place, pixels, sprites, cameras)


def _classes(kind: Kind, random: np.random.Generator) -> dict[str, tuple[Thing, int] | None]:
    colours = random.permutation(len(COLOURS)).tolist()
    names = sorted(STANDING)
    if kind == "presence":
        return {"in": None, "out": (STANDING[str(random.choice(names))], colours[0])}
    if kind == "state":
        states = STATES[str(random.choice(sorted(STATES)))]
        return {name: (thing, colours[0]) for name, thing in states.items()}
    four = random.permutation(names)[:4]
    same = random.random() < 0.5  # things that differ by their form alone
    return {
        "nothing": None,
        **{
            str(name): (STANDING[str(name)], colours[0 if same else index])
            for index, name in enumerate(four)
        },
    }


def _picture(
    made: MadeSet, view: View, sprite: Image.Image | None, random: np.random.Generator
) -> bytes:
    width, height = made.size
    image = view.background.copy()
    if made.poor and random.random() < 0.5:
        _pass_by(image, random)
    if sprite is not None:
        # Nobody puts a bin back to the inch: it stands 2 % of the width beside, turned a little.
        scale = random.uniform(0.94, 1.06)
        side = max(2, round(sprite.width * scale))
        turned = sprite.rotate(random.uniform(-4, 4), Image.Resampling.BICUBIC)
        turned = turned.resize((side, side), Image.Resampling.BILINEAR)
        across, down = random.normal(0, 0.01, 2) * width
        left = round(view.place[0] * width + across - side / 2)
        top = round(view.place[1] * height + down - side / 2)
        image.paste(turned, (left, top), turned)
    seen = (np.asarray(image, np.float32) / 255).astype(np.float32)
    camera = view.cameras[random.integers(len(view.cameras))]
    image, quality = taken(lit(seen, Light.drawn(random), random), camera, random, shake=0.008)
    return jpeg(image, quality)


def _pass_by(image: Image.Image, random: np.random.Generator) -> None:
    """Somebody walks through the picture, who means nothing."""
    width, height = image.size
    share = random.uniform(0.003, 0.012)
    tall = round((share * width * height * 3) ** 0.5)
    person = Image.new(
        "RGB", (max(1, tall // 3), tall), tuple(random.integers(20, 230, 3).tolist())
    )
    head = Image.new("RGB", (max(1, tall // 5), max(1, tall // 5)), (190, 150, 120))
    person.paste(head, (tall // 15, 0))
    left, top = round(random.uniform(0, width)), round(random.uniform(0.2, 0.9) * height)
    image.paste(person, (left, top - tall))
