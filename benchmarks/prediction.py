"""Is a placement's predicted response time what a stopwatch shows? ``python -m benchmarks.prediction``.

Four ``fog-node run --threads 1`` processes on one broker serve one placement after another, most of
them drawn by chance. A ``fog-camera`` sends lone frames; its stopwatch runs from the sending of a
frame to the arrival of the answer. Beside it stands what the coordinator's own code predicts from
the nodes' reports alone (seconds by partition, links up and down); nothing is fitted.

Two scenes: loopback, where computing counts, and links as slow as the Wi-Fi of a Raspberry Pi, where
bytes count (network namespaces: Linux and root only; without them it says so and runs the other).
"""

import argparse
import json
import random
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any, Final

from benchmarks.limited_links import Speed, why_not
from benchmarks.small_fog import CAMERA, SmallFog, small_fog
from coordinator.fog.layout import Layout, laid_out, predicted
from coordinator.fog.layout_request import LayoutRequest, placement_problem
from evolution.cost import NetworkShape
from evolution.genome import Genome
from evolution.placement.cost_model import CostModel
from models.bundle import Bundle
from models.evaluator import seeded_network
from models.export import export
from models.winner import describe

NODES: Final = ("a", "b", "c", "d")
_NAME: Final = "prediction"
_SKIPPED: Final = 3
"""The first frames after a deployment find cold caches and a young camera."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A network and the links it is served on; ``speeds`` None is loopback."""

    name: str
    genome: str
    shape: NetworkShape
    speeds: Mapping[str, Speed] | None


# Two branches: at no time are more than two partitions computed, so that on two cores every node has
# a processor of its own, as the cost model has it. With four the nodes would wait for each other.
SCENES: Final = (
    Scene(
        "loopback",
        "0-11|1-01 / 1-01|0-11",
        NetworkShape(10, (3, 64, 64), ((64, 128),)),
        None,
    ),
    Scene(
        "limited links",
        "0-11|1-01 / 1-01|0-11 ; exchange 10",
        NetworkShape(10, (3, 64, 64), ((16, 32),), kernel=7),
        {
            "a": Speed(4e6, 5e6),
            "b": Speed(2e6, 4e6),
            "c": Speed(1e6, 3e6),
            "d": Speed(3e6, 2e6),
            # Nobody measures a camera's link: the coordinator takes it for the middle of the nodes'.
            CAMERA: Speed(2.5e6, 3.5e6),
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One placement in one run; ``measured_ms`` is the median over lone frames.

    ``estimated_ms`` is what was predicted before any partition had been measured.
    """

    scene: str
    run: int
    placement: str
    estimated_ms: float
    predicted_ms: float
    measured_ms: float
    frames: int

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of the measured time."""
        return self.predicted_ms / self.measured_ms - 1.0


def network(scene: Scene) -> tuple[Bundle, dict[str, bytes]]:
    """Return a network and its artifacts by hash; untrained, for its times are the same."""
    model = seeded_network(Genome.parse(scene.genome), scene.shape, 1)
    exported = export(model)
    classes = tuple(map(str, range(scene.shape.classes)))
    bundle = describe(model, exported, classes, (0.0,), _NAME)
    return bundle, {part.sha256: exported.graphs[part.id] for part in bundle.partitions}


def drawn(bundle: Bundle, count: int) -> list[dict[str, str]]:
    """Return different placements: all on one node, then on two, three, four in turn by chance."""
    parts = [part.id for part in bundle.partitions]
    found = [dict.fromkeys(parts, NODES[0])]
    draw = random.Random(4)
    while len(found) < count:
        here = draw.sample(NODES, 2 + (len(found) - 1) % 3)
        placement = {part: draw.choice(here) for part in parts}
        if placement not in found and len(set(placement.values())) == len(here):
            found.append(placement)
    return found


def layout(fog: SmallFog, placement: Mapping[str, str]) -> Layout:
    """Return the layout of a placement, with the priorities that the coordinator gives by default."""
    model = CostModel(placement_problem(LayoutRequest(fog.bundle, fog.nodes, fog.fleet.measured)))
    ranks = dict(zip(model.partition_ids, model.rank, strict=True))
    return Layout(dict(placement), {part: ranks[part] for part in placement}, 1.0, 0.0)


def measure(scene: Scene, run: int, placements: int, frames: int) -> list[Row]:
    """Start a fog, have it serve every placement, and return a row for each."""
    bundle, artifacts = network(scene)
    rows = []
    with small_fog(NODES, scene.speeds, bundle, artifacts) as fog:
        wanted = drawn(bundle, placements - 1)
        # Each node measures all partitions by itself, and keeps them: the four share two cores here,
        # and would measure each other otherwise.
        for node in NODES:
            alone = dict.fromkeys(wanted[0], node)
            fog.deploy(f"alone-{node}", layout(fog, alone))
        wanted.insert(1, laid_out(LayoutRequest(bundle, fog.nodes, fog.fleet.measured)).placement)
        for number, placement in enumerate(wanted):
            planned = layout(fog, placement)
            fog.deploy(_NAME, planned)
            known = LayoutRequest(bundle, fog.nodes, fog.fleet.measured)
            foreseen_s = predicted(known, planned).response_s
            guessed_s = predicted(LayoutRequest(bundle, fog.nodes), planned).response_s
            log = fog.film(_NAME, frames + _SKIPPED, min(10.0, 0.4 / foreseen_s))
            taken = [entry["latency_s"] for entry in log[_SKIPPED:]]
            where = "chosen" if number == 1 else " ".join(placement.values())
            row = Row(
                scene.name,
                run,
                where,
                guessed_s * 1000,
                foreseen_s * 1000,
                median(taken) * 1000,
                len(taken),
            )
            rows.append(row)
            sys.stderr.write(
                f"{scene.name}, run {run + 1}, {where}: predicted {row.predicted_ms:.1f} ms, "
                f"measured {row.measured_ms:.1f} ms ({row.error:+.1%})\n"
            )
    return rows


def summary(rows: list[Row]) -> dict[str, Any]:
    """Return the errors of one scene, as shares; a run's is the mean over its placements."""
    errors = [abs(row.error) for row in rows]
    runs = [
        mean(abs(row.error) for row in rows if row.run == run) for run in {row.run for row in rows}
    ]
    guesses = [abs(row.estimated_ms / row.measured_ms - 1.0) for row in rows]
    return {
        "scene": rows[0].scene,
        "placements": len({row.placement for row in rows}),
        "mean_absolute_error": mean(errors),
        "by_run": runs,
        "largest": max(errors),
        "mean_absolute_error_of_estimates": mean(guesses),
    }


def _print(rows: list[Row], order: str) -> None:
    print(f"\n{rows[0].scene}: partitions {order}")
    print("node of each partition    estimated ms   predicted ms   measured ms    error: by run")
    for placement in dict.fromkeys(row.placement for row in rows):
        same = [row for row in rows if row.placement == placement]
        times = [median(getattr(row, f"{kind}_ms") for row in same) for kind in _KINDS]
        errors = "  ".join(f"{row.error:+6.1%}" for row in same)
        print(f"{placement:<24}" + "".join(f"{ms:15.1f}" for ms in times) + f"    {errors}")
    found = summary(rows)
    by_run = ", ".join(f"{error:.1%}" for error in found["by_run"])
    print(
        f"mean absolute error {found['mean_absolute_error']:.1%} (by run {by_run}), "
        f"largest {found['largest']:.1%}; "
        f"before anything was measured {found['mean_absolute_error_of_estimates']:.1%}"
    )


_KINDS: Final = ("estimated", "predicted", "measured")


def main() -> None:
    """Print a table for each scene, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run, fewer placements and frames")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # namespaces go on any way out
    runs, placements, frames = (1, 4, 10) if arguments.quick else (arguments.runs, 12, 30)
    reason = why_not()
    if reason is not None:
        sys.stderr.write(f"no limited links here: {reason}\n")
    scenes = [scene for scene in SCENES if scene.speeds is None or reason is None]
    rows = [
        row
        for run in range(runs)
        for scene in scenes
        for row in measure(scene, run, placements, frames)
    ]
    by_scene = [[row for row in rows if row.scene == scene.name] for scene in scenes]
    if arguments.json:
        entries = [asdict(row) | {"error": row.error} for row in rows]
        print(json.dumps({"rows": entries, "scenes": [summary(found) for found in by_scene]}))
        return
    for scene, found in zip(scenes, by_scene, strict=True):
        _print(found, ", ".join(part.id for part in network(scene)[0].partitions))


if __name__ == "__main__":
    main()
