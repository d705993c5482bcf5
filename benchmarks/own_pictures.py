"""How well `learn` does on pictures of one's own: few, of a fixed scene, in any light.

    python -m benchmarks.own_pictures [--seeds 0,1,2,3,4] [--sets bin-80,...] [--out FILE] [--json]

Each row is the command `fog-coordinator learn`, search included, as a user runs it. Sets are made from
photographs (`benchmarks.made`), another scene, thing and place for every seed. Beside the accuracy that
`learn` reports stands that of the bundle on fresh pictures of the same set, which nothing has seen, and
how many strangers are called unknown: pictures of other scenes, for digits pieces of photographs.
Begun again with --out, it goes on where it was ended.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.made.scene import scene
from benchmarks.made.sets import MadeSet, pictures, write
from models.bundle import MANIFEST, WHOLE, Bundle
from pictures.fit import fit
from pictures.reading import decode_picture, size_needed

Pixels = npt.NDArray[np.uint8]

FRESH: Final = 100  # of every class
STRANGERS: Final = 120

SETS: Final[dict[str, MadeSet | None]] = {
    "bin-80": MadeSet("presence", pictures=80),
    "bin-30": MadeSet("presence", pictures=30),
    "state-80": MadeSet("state", pictures=80),
    "state-30": MadeSet("state", pictures=30),
    "five-80": MadeSet("five", pictures=80),
    "five-poor-80": MadeSet("five", pictures=80, poor=True),
    "five-poor-30": MadeSet("five", pictures=30, poor=True),
    "mnist": None,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One `learn`. All but seconds and threshold are shares of pictures.

    held_out: what `learn` reports. missing: the same with one branch missing. fresh: right of the
    fresh pictures; unknown: of those that are right, called unknown. strangers: called unknown.
    """

    set: str
    seed: int
    held_out: float
    missing: float
    fresh: float | None
    unknown: float | None
    strangers: float
    threshold: float
    cpu_s: float
    wall_s: float


def measure(name: str, seed: int, *options: str) -> Row:
    """Make a set, have the command learn it, and show its bundle pictures that it has not seen."""
    made = SETS[name]
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / name, Path(folder) / "learned"
        if made is not None:
            made = replace(made, seed=seed)
            write(made, data)
        program = Path(sys.executable).with_name("fog-coordinator")
        source = name if made is None else str(data)
        command = [
            str(program),
            "learn",
            source,
            "--out",
            str(out),
            "--seed",
            str(seed),
            "--json",
            *options,
        ]
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        after, wall_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
        told = json.loads(done.stdout)
        learned = Learned(Path(told["bundle"]))
        fresh = None if made is None else list(learned.shown(pictures(made, "fresh", FRESH)))
    right = [sure for is_right, sure in fresh or () if is_right]
    unsure = [not learned.known(sure) for sure in right]
    strange = [not learned.known(sure) for _, sure in learned.shown(strangers(made, seed))]
    cpu_s = sum(getattr(after, each) - getattr(before, each) for each in ("ru_utime", "ru_stime"))
    return Row(
        set=name,
        seed=seed,
        held_out=told["accuracy"],
        missing=told["missing"]["1"],
        fresh=None if fresh is None else len(right) / len(fresh),
        unknown=None if fresh is None else mean(unsure),
        strangers=mean(strange),
        threshold=told["threshold"],
        cpu_s=round(cpu_s, 1),
        wall_s=round(wall_s, 1),
    )


class Learned:
    """A bundle, as a camera and the fog nodes use it: its framing, its graph, its calibration."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        self._bundle = Bundle.model_validate_json((folder / MANIFEST).read_bytes())
        self._session = onnxruntime.InferenceSession((folder / WHOLE).read_bytes())

    def shown(self, encoded: Iterable[tuple[str, int, bytes]]) -> Iterator[tuple[bool, float]]:
        """Yield of each picture (class, number, JPEG) whether the answer is right, and how sure it is."""
        taken, classes = self._bundle.input, self._bundle.classes
        shape = taken.shape[1:]
        mean, std = (np.reshape(each, (1, -1, 1, 1)) for each in (taken.mean, taken.std))
        for name, number, data in encoded:
            pixels = decode_picture(data, str(number), size_needed(shape, taken.framing))
            x = (fit(pixels, shape, taken.framing)[None] / 255 - mean) / std
            (logits,) = self._session.run(None, {taken.name: x.astype(np.float32)})
            scaled = logits[0] / self._bundle.calibration.temperature
            sure = float(1 / np.exp(scaled - scaled.max()).sum())
            yield classes[int(scaled.argmax())] == name, sure

    def known(self, sure: float) -> bool:
        """Whether an answer of such a confidence is not called unknown."""
        return sure >= self._bundle.calibration.threshold


def strangers(made: MadeSet | None, seed: int) -> Iterator[tuple[str, int, bytes]]:
    """Yield pictures of other scenes with other things, or pieces of photographs."""
    if made is None:
        random = np.random.default_rng(seed)
        for number in range(STRANGERS):
            view = scene(random, (160, 120))
            left, top = random.integers(0, 60, 2).tolist()
            file = BytesIO()
            view.crop((left, top, left + 60, top + 60)).save(file, "PNG")
            yield "", number, file.getvalue()
        return
    for other in range(6):
        stranger = replace(made, seed=1000 + 10 * seed + other)
        yield from pictures(stranger, "strangers", STRANGERS // 12)


def kept(path: Path | None) -> list[Row]:
    """Return the rows of an earlier start."""
    if path is None or not path.exists():
        return []
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def table(rows: list[Row]) -> str:
    """Return a table of Markdown: means over the seeds, every seed's accuracy, median and most seconds."""
    lines = [
        "| set | held out | by seed | one missing | fresh | right but unknown | strangers unknown | CPU s | s (most) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row.set for row in rows):
        runs = sorted((row for row in rows if row.set == name), key=lambda row: row.seed)
        by_seed = ", ".join(f"{100 * run.held_out:.1f}" for run in runs)
        cells = [
            _share(runs, "held_out", 2),
            by_seed,
            *(_share(runs, key, 1) for key in ("missing", "fresh", "unknown", "strangers")),
            f"{median(run.cpu_s for run in runs):.0f}",
            f"{median(run.wall_s for run in runs):.0f} ({max(run.wall_s for run in runs):.0f})",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _share(runs: list[Row], key: str, digits: int) -> str:
    values: list[Any] = [getattr(run, key) for run in runs]
    return "-" if None in values else f"{100 * mean(values):.{digits}f}"


def main() -> None:
    """Learn what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2,3,4", help="numbers with commas between")
    parser.add_argument("--sets", default=",".join(SETS), help="names with commas between")
    parser.add_argument("--out", type=Path, help="a file of rows that grows")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
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
