"""What `place --rate` gains: the predicted p95 of a stream of frames, beside placements made without it.

    python -m benchmarks.placement_rate [--instances N] [--json]

24 partitions on 8 devices. Rates are shares of the most frames a second that `--objective
throughput` finds; p95 over 50 evenly spaced frames, as shares of what `--rate` reaches.
"""

import argparse
import json
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.placement_instances import FRESH, instance
from evolution.placement.baselines import heft
from evolution.placement.cost_model import CostModel
from evolution.placement.genetic import PlacementResult, place, warm_up
from evolution.placement.stream import Stream, evenly

RATIOS = (0.3, 1.0)
SHARES = (0.6, 0.9)
Plan = tuple[list[int], list[float]]  # device and priority of every partition


@dataclass(frozen=True, slots=True)
class Row:
    """A method at a rate: how many instances keep up, and its p95 over that of `--rate`."""

    ratio: float
    share: float
    method: str
    keeps_up: int
    median: float
    worst: float


def measure(ratio: float, instances: int) -> list[Row]:
    """Return the rows of a ratio."""
    found: dict[tuple[float, str], list[tuple[bool, float]]] = {}
    for i in range(instances):
        problem = instance(FRESH + i, 24, 8, ratio)
        model = CostModel(problem)
        most = place(problem, "throughput")
        plans = {
            "heft": (heft(model), model.rank),
            "place": _plan(model, place(problem)),
            "place --objective throughput": _plan(model, most),
        }
        for share in SHARES:
            rate = share * most.frames_per_s
            plans["place --rate"] = _plan(model, place(problem, rate=rate))
            stream = Stream(model, evenly(rate))
            p95 = {name: stream.p95_s(*plan) for name, plan in plans.items()}
            for name, plan in plans.items():
                keeps_up = model.busiest(plan[0]) * rate <= 1
                value = p95[name] / p95["place --rate"]
                found.setdefault((share, name), []).append((keeps_up, value))
    return [
        Row(
            ratio, share, name,
            keeps_up=sum(keeps for keeps, _ in values),
            median=float(np.median([value for _, value in values])),
            worst=max(value for _, value in values),
        )
        for (share, name), values in sorted(found.items())
    ]  # fmt: skip


def _plan(model: CostModel, result: PlacementResult) -> Plan:
    """Return a result as the stream takes it."""
    names = model.partition_ids
    ranks = zip(names, model.rank, strict=True)
    return (
        [model.device_ids.index(result.placement[name]) for name in names],
        [result.priority.get(name, rank) for name, rank in ranks],
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=20, help="of each ratio")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    if asked.instances < 1:
        parser.error("--instances: needs at least one.")
    warm_up()
    rows = [row for ratio in RATIOS for row in measure(ratio, asked.instances)]
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    print(
        "| ratio | rate | method | keeps up | p95, median | p95, worst |\n|---|---|---|---|---|---|"
    )
    for row in rows:
        print(
            f"| {row.ratio} | {row.share:.0%} | {row.method} | {row.keeps_up} of {asked.instances}"
            f" | {row.median:.3f} | {row.worst:.3f} |"
        )


if __name__ == "__main__":
    main()
