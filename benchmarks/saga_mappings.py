"""Mappings by the schedulers of SAGA (`anrg-saga`), for `benchmarks.placement_saga`.

Run by the Python of SAGA's own virtual environment, so it imports nothing of ours. Reads a list of
placement problems from standard input, writes for each {scheduler: {partition: [device, start]}}.

SAGA knows one speed a device and one a pair of devices, so the seconds of a partition are split into
a cost (their mean over the devices) and the device's mean speed, and a pair takes the mean of both
ways. It knows no broker, latency, memory or pin.
"""

import importlib
import json
import logging
import sys
from statistics import fmean
from typing import Any

NAMES = (
    "BIL",
    "Cpop",
    "DPS",
    "Duplex",
    "ETF",
    "FCP",
    "FLB",
    "FastestNode",
    "GDL",
    "Heft",
    "MCT",
    "MET",
    "MST",
    "MaxMin",
    "MinMin",
    "Msbc",
    "OLB",
    "Sufferage",
    "WBA",
)  # fmt: skip - without BruteForce and SMT (hours), Hybrid, and Hbmct (leaves partitions out)


def converted(saga: Any, problem: dict[str, Any]) -> tuple[Any, Any]:
    """Return SAGA's network and task graph."""
    devices, partitions = problem["devices"], problem["partitions"]
    ids = [device["id"] for device in devices]
    cost = {p["id"]: fmean(p["seconds"].values()) for p in partitions}
    speed = {
        d: fmean(
            cost[p["id"]] / p["seconds"][d] for p in partitions if p["seconds"].get(d, 0.0) > 0
        )
        for d in ids
    }
    pairs = [
        (
            x["id"],
            y["id"],
            2 / sum(1 / d[f"{way}link_bytes_per_s"] for d in (x, y) for way in ("up", "down")),
        )
        for i, x in enumerate(devices)
        for y in devices[i + 1 :]
    ]
    sizes: dict[tuple[str, str], float] = {}
    for tensor in problem["tensors"]:
        for consumer in tensor["consumers"]:
            key = (tensor["producer"], consumer)
            sizes[key] = sizes.get(key, 0.0) + tensor["bytes"]
    network = saga.Network.create(list(speed.items()), pairs)
    graph = saga.TaskGraph.create(list(cost.items()), [(*key, size) for key, size in sizes.items()])
    return network, graph


def main() -> None:
    """Answer the problems."""
    logging.disable()
    saga: Any = importlib.import_module("saga")
    schedulers: Any = importlib.import_module("saga.schedulers")
    answers: list[dict[str, dict[str, tuple[str, float]]]] = []
    for problem in json.load(sys.stdin):
        network, graph = converted(saga, problem)
        known = {p["id"] for p in problem["partitions"]}
        found: dict[str, dict[str, tuple[str, float]]] = {}
        for name in NAMES:
            try:
                plan = getattr(schedulers, f"{name}Scheduler")().schedule(network, graph)
            except Exception as error:  # noqa: BLE001 - one that fails is no answer; the rest count
                print(f"{name}: {error}", file=sys.stderr)
                continue
            found[name] = {
                run.name: (node, run.start)
                for node, runs in plan.mapping.items()
                for run in runs
                if run.name in known
            }
        answers.append(found)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
