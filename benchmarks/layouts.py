"""How long the coordinator's placer takes, and what it loses by looking at few of many nodes.

    python -m benchmarks.layouts [--seeds N] [--json]

Fog nodes twentyfold apart in speed and a hundredfold in links; branches of stages of 1 to 40
million MACs. `over all nodes` is the response time (at a rate: the p95) over that of the same
search on all nodes, which is not tried on more than 200 nodes with more than 30 partitions.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np

from broker.messages import Links, NodeInfo
from coordinator.fog.layout import Layout, laid_out, placed_on, predicted
from coordinator.fog.layout_request import LayoutRequest, placement_problem
from evolution.placement.genetic import warm_up
from models.bundle import Bundle

SIZES = ((4, 4, 2), (64, 4, 2), (200, 4, 2), (1000, 4, 2), (200, 7, 3), (100, 59, 1), (1000, 59, 1))
"""Nodes, branches, stages a branch."""
RATES = (None, 20.0)


@dataclass(frozen=True, slots=True)
class Row:
    """Means over the seeds; `over_all` is None where all nodes are too many."""

    nodes: int
    partitions: int
    frames_per_s: float | None
    seconds: float
    keeps_up: int
    over_all: float | None


def site(count: int, seed: int) -> dict[str, NodeInfo]:
    """Return so many uneven fog nodes."""
    rng = np.random.default_rng(seed)
    return {
        f"n{number:04}": NodeInfo(
            session=1,
            version="0",
            hardware=f"n{number:04}",
            cores=1,
            threads=1,
            memory_bytes=int(rng.integers(10_000_000, 1_000_000_000)),
            macs_per_s=float(rng.uniform(0.2e9, 4e9)),
            links=Links(
                uplink_bytes_per_s=float(10 ** rng.uniform(5, 7)),
                downlink_bytes_per_s=float(10 ** rng.uniform(5, 7)),
                latency_s=float(10 ** rng.uniform(-4, -2)),
            ),
        )
        for number in range(count)
    }


def bundle(branches: int, stages: int, seed: int) -> Bundle:
    """Return the description of a network; there are no files to it."""
    rng = np.random.default_rng(seed)
    shape = (1, 1, 96, 128)
    tensors = [_tensor("input", shape, "uint8")]
    parts: list[dict[str, Any]] = []
    for branch in range(branches):
        taken = "input"
        for stage in range(stages):
            made = f"branch{branch}-tensor{stage}"
            size = int(rng.integers(1000, 20_000)) if stage < stages - 1 else 10
            tensors.append(_tensor(made, (1, size), "float32"))
            parts.append(_part(f"branch{branch}-stage{stage}", [taken], made, len(parts)))
            parts[-1] |= {
                "branch": branch,
                "stage": stage,
                "macs": int(rng.integers(1_000_000, 40_000_000)),
                "memory_bytes": int(rng.integers(500_000, 5_000_000)),
            }
            taken = made
    logits = [f"branch{branch}-tensor{stages - 1}" for branch in range(branches)]
    parts.append(_part("fusion", logits, "logits", len(parts)))
    tensors.append(_tensor("logits", (1, 10), "float32"))
    return Bundle.model_validate(
        {
            "name": "network",
            "version": "1",
            "classes": [str(number) for number in range(10)],
            "input": {"name": "input", "shape": shape, "dtype": "float32", "mean": [0], "std": [1]},
            "partitions": parts,
            "tensors": tensors,
            "fusion": {"id": "fusion", "inputs": logits, "min_inputs": 1},
            "genome": "",
            "accuracy": {"whole": 0.9, "missing": {}},
        }
    )


def _tensor(name: str, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    size = int(np.prod(shape)) * (1 if dtype == "uint8" else 4)
    return {"id": name, "shape": shape, "dtype": dtype, "bytes": size}


def _part(name: str, inputs: list[str], output: str, number: int) -> dict[str, Any]:
    return {
        "id": name,
        "branch": None,
        "stage": None,
        "file": f"partitions/{name}.onnx",
        "sha256": f"{number:064x}",
        "bytes": 1,
        "memory_bytes": 500_000,
        "macs": 1000,
        "inputs": inputs,
        "outputs": [output],
    }


def measured(nodes: int, branches: int, stages: int, rate: float | None, seeds: int) -> Row:
    """Lay out so many networks on so many sites."""
    seconds, shares, keeps_up = [], [], 0
    for seed in range(seeds):
        request = LayoutRequest(
            bundle(branches, stages, seed), site(nodes, seed), frames_per_s=rate
        )
        began = time.perf_counter()
        layout = laid_out(request)
        seconds.append(time.perf_counter() - began)
        keeps_up += layout.keeps_up(rate)
        if nodes <= 200 or branches * stages < 30:
            every = predicted(request, placed_on(placement_problem(request), rate))
            shares.append(_answered(layout) / _answered(every))
    over_all = fmean(shares) if shares else None
    return Row(nodes, branches * stages + 1, rate, fmean(seconds), keeps_up, over_all)


def _answered(layout: Layout) -> float:
    return layout.response_s if layout.p95_s is None else layout.p95_s


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="networks and sites of every size")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    if asked.seeds < 1:
        parser.error("--seeds: needs at least one.")
    warm_up()
    rows = [measured(*size, rate, asked.seeds) for size in SIZES for rate in RATES]
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    print("| nodes | partitions | frames/s | seconds | keeps up | over all nodes |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        rate = "-" if row.frames_per_s is None else f"{row.frames_per_s:g}"
        share = "-" if row.over_all is None else f"{row.over_all:.3f}"
        print(
            f"| {row.nodes} | {row.partitions} | {rate} | {row.seconds:.2f}"
            f" | {row.keeps_up} of {asked.seeds} | {share} |"
        )


if __name__ == "__main__":
    main()
