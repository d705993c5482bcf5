"""How near the optimum placements are: ours, simple ones, annealing, and CP-SAT's bound.

    python -m benchmarks.placement [--quick] [--json] [--cp-sat SECONDS]

Response times are shares of the best known: the least of all methods, of ours with three times
the moves, and of CP-SAT's placement, scored by the cost model.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.placement_instances import instance
from benchmarks.placement_optimum import Optimum, optimum
from evolution.placement.baselines import BASELINES, at_random, heft
from evolution.placement.bound import lower_bound
from evolution.placement.cost_model import CostModel
from evolution.placement.forecast import forecast
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import default_budget, place, warm_up
from evolution.placement.local_search import Goal, LocalSearch
from evolution.placement.plan import Plan
from evolution.placement.problem import PlacementProblem

HEAT = 0.03  # share of the response time that annealing accepts at first
RANDOM = 100  # random placements, of which the median counts


@dataclass(frozen=True, slots=True)
class Class:
    """Instances of one size and ratio of communication to computing."""

    partitions: int
    devices: int
    ratio: float
    instances: int
    longer: int  # budgets for the best known
    cp_sat: int  # instances that CP-SAT looks at


@dataclass(frozen=True, slots=True)
class Row:
    """A method on a class: response times over the best known, and seconds a placement."""

    partitions: int
    devices: int
    ratio: float
    instances: int
    method: str
    mean: float
    median: float
    p95: float
    worst: float
    seconds: float


FULL = (
    Class(24, 8, 0.3, 40, 3, 3),
    Class(24, 8, 1.0, 40, 3, 3),
    Class(200, 50, 0.3, 2, 1, 0),
    Class(200, 50, 1.0, 2, 1, 0),
    Class(1000, 200, 1.0, 1, 1, 0),
)
QUICK = (Class(24, 8, 0.3, 5, 2, 0), Class(24, 8, 1.0, 5, 2, 0))


def measure(kind: Class, cp_sat_s: float) -> tuple[list[Row], list[str]]:
    """Return a row for each method, and sentences on what is proven."""
    found: dict[str, list[tuple[float, float]]] = {}  # method: response and seconds
    best: list[float] = []
    bounds: list[float] = []
    proofs: list[Optimum] = []
    for seed in range(kind.instances):
        problem = instance(seed, kind.partitions, kind.devices, kind.ratio)
        model = CostModel(problem)
        values = _all_methods(model)
        values["ours"], placement = _ours(problem, default_budget(model))
        known = min(value for value, _ in values.values())
        if kind.longer > 1:
            longer, placement = _ours(problem, kind.longer * default_budget(model), seed=1)
            known = min(known, longer[0])
        if seed < kind.cp_sat and cp_sat_s > 0:
            proof = optimum(model, known, placement, cp_sat_s, threads=2)
            proofs.append(proof)
            bounds.append(values["ours"][0] / proof.bound_s)
            if proof.placement:
                said = forecast(problem, proof.placement, proof.priority).response_s
                known = min(known, said)
        best.append(known)
        for method, value in values.items():
            found.setdefault(method, []).append(value)
        found.setdefault("lower bound", []).append((lower_bound(model, "response"), 0.0))
    rows = [_row(kind, method, values, best) for method, values in found.items()]
    below = 1 - np.mean([o[0] / h[0] for o, h in zip(found["ours"], found["heft"], strict=True)])
    notes = [f"{_title(kind)}: ours is {below:.1%} below HEFT on average"]
    if proofs:
        proven = sum(proof.proven for proof in proofs)
        notes.append(
            f"{_title(kind)}: CP-SAT proved {proven} of {len(proofs)} optima in {cp_sat_s:.0f} s"
            f" each; ours is at most {np.mean(bounds):.4f} (worst {max(bounds):.4f}) of its bound"
        )
    return rows, notes


def _all_methods(model: CostModel) -> dict[str, tuple[float, float]]:
    """Return the response and the seconds spent of every method but ours."""
    values: dict[str, tuple[float, float]] = {}
    began = time.perf_counter()
    search = LocalSearch(model, Goal())
    rng = np.random.Generator(np.random.PCG64(0))
    start = Plan(tuple(heft(model)), tuple(model.rank))
    response = search.refined(start, default_budget(model), HEAT, rng)[1]
    values["annealing"] = (response, time.perf_counter() - began)
    for name, way in BASELINES.items():
        began = time.perf_counter()
        plan = way(model)
        spent = time.perf_counter() - began
        values[name] = (response_seconds(model, plan, model.rank), spent)
    drawn = [response_seconds(model, at_random(model, rng), model.rank) for _ in range(RANDOM)]
    values["random"] = (float(np.median(drawn)), 0.0)
    return values


def _ours(
    problem: PlacementProblem, budget: int, seed: int = 0
) -> tuple[tuple[float, float], dict[str, str]]:
    """Return the response and the seconds spent of the genetic algorithm, and its placement."""
    began = time.perf_counter()
    result = place(problem, seed=seed, budget=budget)
    return (result.response_s, time.perf_counter() - began), result.placement


def _row(
    kind: Class, method: str, values: Sequence[tuple[float, float]], best: Sequence[float]
) -> Row:
    """Sum a method up over the instances of a class."""
    shares = np.array([value for value, _ in values]) / np.array(best)
    return Row(
        kind.partitions, kind.devices, kind.ratio, kind.instances, method,
        mean=float(shares.mean()), median=float(np.median(shares)),
        p95=float(np.quantile(shares, 0.95)), worst=float(shares.max()),
        seconds=float(np.median([spent for _, spent in values])),
    )  # fmt: skip


def _title(kind: Class) -> str:
    return f"{kind.partitions}x{kind.devices}, ratio {kind.ratio}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="ten small instances")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--cp-sat", type=float, default=0.0, metavar="SECONDS", help="for each proof; needs ortools"
    )
    parser.add_argument("--size", choices=["24x8", "200x50", "1000x200"], help="this one only")
    parser.add_argument("--ratio", type=float, choices=[0.3, 1.0], help="this one only")
    asked = parser.parse_args()
    if not 0 <= asked.cp_sat < math.inf:
        parser.error("--cp-sat: seconds are not negative.")
    warm_up()
    rows: list[Row] = []
    notes: list[str] = []
    for kind in QUICK if asked.quick else FULL:
        if asked.size and asked.size != f"{kind.partitions}x{kind.devices}":
            continue
        if asked.ratio not in {None, kind.ratio}:
            continue
        of_kind, said = measure(kind, asked.cp_sat)
        rows += of_kind
        notes += said
        if not asked.json:
            print(f"\n{_title(kind)}, {kind.instances} instances, over the best known\n")
            print("| method | mean | median | p95 | worst | seconds |\n|---|---|---|---|---|---|")
            for row in of_kind:
                print(
                    f"| {row.method} | {row.mean:.4f} | {row.median:.4f} | {row.p95:.4f}"
                    f" | {row.worst:.4f} | {row.seconds:.3f} |"
                )
            print("\n" + "\n".join(said), flush=True)
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "notes": notes}))


if __name__ == "__main__":
    main()
