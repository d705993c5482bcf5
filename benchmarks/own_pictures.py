"""How well the recipe does on pictures of one's own: few, of a fixed scene, in any light.

    python -m benchmarks.own_pictures [--seeds 0,1,2,3,4] [--sets bin-80,...] [--out FILE] [--json]

Sets are made from photographs (`benchmarks.made`), another scene, thing and place for every seed. A
fifth of the pictures is set apart as validation for the best epoch and the calibration; accuracy is
that on fresh pictures of the same set, which nothing else has seen. Strangers are pictures of other
scenes (for digits: pieces of photographs). Begun again with --out, it goes on where it was ended.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from statistics import mean
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from benchmarks.made.scene import scene
from benchmarks.made.sets import MadeSet, pictures
from evolution.genome import Genome, Stage
from models.calibration import calibrate, confidences
from models.default_network import default_network
from models.evaluator import seeded_network
from models.recipe import recipe
from models.training import accuracy_by_missing, measured_partial_logits, train
from pictures.dataset import load
from pictures.fit import fit
from pictures.labelled import Pictures, interleave

Floats = npt.NDArray[np.float32]
Maker = Callable[[int], tuple[Pictures, Pictures, Pictures]]  # seed -> training, test, strangers

SIZE: Final = (3, 48, 64)
TEST: Final = 50  # of every class
STRANGERS: Final = 120


@dataclass(frozen=True, slots=True)
class Row:
    """One training. accuracy: by branches missing, from none. The others are shares of the pictures.

    unknown: of the test pictures that are right, those called unknown. degraded: the same with one
    branch missing. strangers: those called unknown.
    """

    set: str
    seed: int
    accuracy: tuple[float, ...]
    unknown: float
    degraded: float
    strangers: float
    temperature: float
    threshold: float
    epochs: int
    cpu_s: float
    wall_s: float


def made(kind: str, count: int, poor: bool = False) -> Maker:
    """Return a maker of sets of `count` pictures in every class."""

    def make(seed: int) -> tuple[Pictures, Pictures, Pictures]:
        wanted = MadeSet(kind, seed=seed, poor=poor)  # type: ignore[arg-type]  # from the table below
        others = [MadeSet(kind, seed=1000 + 10 * seed + n, poor=poor) for n in range(6)]  # type: ignore[arg-type]
        strangers = [read(other, "strangers", STRANGERS // 12) for other in others]
        return (
            read(wanted, "train", count),
            read(wanted, "test", TEST),
            Pictures(
                np.concatenate([each.pixels for each in strangers]),
                np.concatenate([each.labels for each in strangers]),
            ),
        )

    return make


def digits(seed: int) -> tuple[Pictures, Pictures, Pictures]:
    """MNIST's 5,000, and pieces of photographs."""
    dataset = load("mnist")
    random = np.random.default_rng(seed)
    views = [np.asarray(scene(random, (160, 120))).transpose(2, 0, 1) for _ in range(STRANGERS)]
    corners = random.integers(0, 60, (STRANGERS, 2))
    pieces = [
        fit(np.ascontiguousarray(view[:, y : y + 60, x : x + 60]), dataset.shape)
        for view, (y, x) in zip(views, corners, strict=True)
    ]
    return dataset.train, dataset.test, Pictures(np.stack(pieces), np.zeros(STRANGERS, np.int64))


SETS: Final[dict[str, Maker]] = {
    # Of 80 and 30 pictures `learn` sets a fifth apart to test on; here the test pictures are fresh.
    "bin-80": made("presence", 64),
    "bin-30": made("presence", 24),
    "state-80": made("state", 64),
    "state-30": made("state", 24),
    "five-80": made("five", 64),
    "five-poor-80": made("five", 64, poor=True),
    "five-poor-30": made("five", 24, poor=True),
    "mnist": digits,
}
GENOMES: Final = {"mnist": "0-00|0-00|1-00"}
"""Where the smallest network of the default space is not deep enough."""


def measure(name: str, seed: int) -> Row:
    """Make a set, train the recipe's way with the smallest network of the default space, measure."""
    training, test, strangers = SETS[name](seed)
    part, validation = training.split(max(2, len(training) // 5 if len(training) < 2000 else 400))
    space, shape = default_network(training.shape, int(training.labels.max()) + 1)
    smallest = "|".join(str(Stage.from_bits("0" * (k * (k - 1) // 2))) for k in space.nodes)
    genome = Genome.parse(" / ".join([GENOMES.get(name, smallest)] * space.branches))
    begun, cpu = time.perf_counter(), time.process_time()
    schedule = recipe(part, seed=seed)
    model = seeded_network(genome, shape, seed)
    train(model, part, schedule, validation=validation)
    views = {
        key: _views(measured_partial_logits(model, each), model.fusion.bias.detach())
        for key, each in (("validation", validation), ("test", test), ("strangers", strangers))
    }
    calibration = calibrate(
        views["validation"][0], validation.labels, np.stack(views["validation"][1:])
    )
    seconds = time.perf_counter() - begun, time.process_time() - cpu

    def known(logits: Floats) -> npt.NDArray[np.bool_]:
        return confidences(logits, calibration.temperature) >= calibration.threshold

    right = [view.argmax(1) == test.labels for view in views["test"]]
    unknown = [
        1 - float(known(view)[sound].mean())
        for view, sound in zip(views["test"], right, strict=True)
    ]
    return Row(
        set=name,
        seed=seed,
        accuracy=accuracy_by_missing(model, test),
        unknown=unknown[0],
        degraded=mean(unknown[1:]),
        strangers=1 - float(known(views["strangers"][0]).mean()),
        temperature=calibration.temperature,
        threshold=calibration.threshold,
        epochs=schedule.epochs,
        cpu_s=round(seconds[1], 1),
        wall_s=round(seconds[0], 1),
    )


def _views(partial: torch.Tensor, bias: torch.Tensor) -> list[Floats]:
    """Partial logits (B, N, classes) -> logits (N, classes) of the whole, then with each branch missing."""
    whole = partial.sum(0)
    return [(whole + bias).numpy(), *((whole - term + bias).numpy() for term in partial)]


def read(wanted: MadeSet, part: str, count: int, shape: tuple[int, int, int] = SIZE) -> Pictures:
    """Make pictures and fit them to the network, classes taking turns."""
    names, pixels = [], []
    for name, _, encoded in pictures(wanted, part, count):
        with Image.open(BytesIO(encoded)) as image:
            planes = np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
        names.append(name)
        pixels.append(fit(planes, shape))
    classes = list(dict.fromkeys(names))
    labels = np.array([classes.index(name) for name in names], np.int64)
    return Pictures(np.stack(pixels), labels).take(interleave(labels))


def kept(path: Path | None) -> list[Row]:
    """Return the rows of an earlier start."""
    if path is None or not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        Row(**{**entry, "accuracy": tuple(entry["accuracy"])}) for entry in map(json.loads, lines)
    ]


def table(rows: list[Row]) -> str:
    """Return a table of Markdown: means over the seeds, and every seed's accuracy."""
    lines = [
        "| set | accuracy | by seed | one missing | two missing | right but unknown | one missing and unknown | strangers unknown | CPU s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row.set for row in rows):
        runs = sorted((row for row in rows if row.set == name), key=lambda row: row.seed)
        shares = [mean(run.accuracy[missing] for run in runs) for missing in range(3)]
        by_seed = ", ".join(f"{100 * run.accuracy[0]:.1f}" for run in runs)
        rest = [
            mean(getattr(run, key) for run in runs) for key in ("unknown", "degraded", "strangers")
        ]
        cells = [f"{100 * share:.2f}" for share in shares]
        cells.insert(1, by_seed)
        cells += [f"{100 * share:.0f}" for share in rest]
        cells.append(f"{mean(run.cpu_s for run in runs):.0f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2,3,4", help="numbers with commas between")
    parser.add_argument("--sets", default=",".join(SETS), help="names with commas between")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a file of rows that grows")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = kept(arguments.out)
    done = {(row.set, row.seed) for row in rows}
    for name in arguments.sets.split(","):
        for seed in map(int, arguments.seeds.split(",")):
            if (name, seed) in done:
                continue
            rows.append(measure(name, seed))
            if arguments.out is not None:
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(rows[-1])) + "\n")
    if arguments.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
