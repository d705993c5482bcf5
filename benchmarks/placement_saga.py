"""SAGA's schedulers beside ours, their mappings scored by our cost model.

    python -m benchmarks.placement_saga --saga VENV/bin/python [--instances N] [--json]

SAGA (`anrg-saga`) lives in a virtual environment of its own, see docs/placement.md.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.placement_instances import FRESH, instance
from evolution.placement.baselines import heft
from evolution.placement.cost_model import CostModel
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import place, warm_up
from evolution.placement.problem import PlacementProblem
from evolution.placement.repair import Repair

SCRIPT = Path(__file__).with_name("saga_mappings.py")
RATIOS = (0.3, 1.0)
Mapping = dict[str, tuple[str, float]]  # device and start of a partition


@dataclass(frozen=True, slots=True)
class Row:
    """A method: response times over ours."""

    ratio: float
    method: str
    mean: float
    best: float
    worst: float


def mappings(python: Path, problems: list[PlacementProblem]) -> list[dict[str, Mapping]]:
    """Ask SAGA, with a fixed hash seed since its ties depend on it."""
    done = subprocess.run(
        [python, SCRIPT],
        input=json.dumps([problem.as_json() for problem in problems]),
        capture_output=True,
        check=False,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        sys.exit(f"--saga {python}: {done.stderr.strip().splitlines()[-1]}")
    answers: list[dict[str, Mapping]] = json.loads(done.stdout)
    return answers


def scored(model: CostModel, repair: Repair, mapping: Mapping) -> float:
    """Return the response time, by SAGA's own order or by the upward rank, whichever is sooner.

    Pinned partitions are put where they belong, and memory is repaired.
    """
    at = {name: d for d, name in enumerate(model.device_ids)}
    wanted = [at[mapping[name][0]] for name in model.partition_ids]
    device = repair(
        [d if d in free else free[0] for d, free in zip(wanted, model.choices, strict=True)]
    )
    own = [-mapping[name][1] for name in model.partition_ids]
    return min(response_seconds(model, device, order) for order in (own, model.rank))


def measure(python: Path, ratio: float, instances: int) -> list[Row]:
    """Return a row for each of SAGA's schedulers and for our HEFT, the best first."""
    problems = [instance(FRESH + i, 24, 8, ratio) for i in range(instances)]
    shares: dict[str, list[float]] = {}
    for problem, found in zip(problems, mappings(python, problems), strict=True):
        model = CostModel(problem)
        repair = Repair(model)
        ours = place(problem).response_s
        values = {f"SAGA {name}": scored(model, repair, m) for name, m in found.items()}
        values["our HEFT"] = response_seconds(model, heft(model), model.rank)
        for name, value in values.items():
            shares.setdefault(name, []).append(value / ours)
    rows = [Row(ratio, n, float(np.mean(v)), min(v), max(v)) for n, v in shares.items()]
    return sorted(rows, key=lambda row: row.mean)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saga", type=Path, required=True, help="the Python that has anrg-saga")
    parser.add_argument("--instances", type=int, default=40, help="of each ratio")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    if not asked.saga.exists():
        parser.error(f"--saga {asked.saga}: there is no such file.")
    if asked.instances < 1:
        parser.error("--instances: needs at least one.")
    warm_up()
    rows: list[Row] = []
    for ratio in RATIOS:
        of_ratio = measure(asked.saga, ratio, asked.instances)
        rows += of_ratio
        if not asked.json:
            print(f"\n24x8, ratio {ratio}, {asked.instances} instances, over ours\n")
            print("| method | mean | best | worst |\n|---|---|---|---|")
            for row in of_ratio:
                print(
                    f"| {row.method} | {row.mean:.3f} | {row.best:.3f} | {row.worst:.3f} |",
                    flush=True,
                )
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))


if __name__ == "__main__":
    main()
