"""How near the optimum placements are: ours, simple ones, annealing, and CP-SAT's bound.

    python -m benchmarks.placement [--quick] [--json] [--cp-sat SECONDS [--proofs FILE]]

Response times are shares of the best known: the least of all methods, of ours with three times
the moves, and of CP-SAT's placement, scored by the cost model. Seconds are those of the processor.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.placement_instances import FRESH, instance
from benchmarks.placement_optimum import Optimum, optimum
from evolution.placement.arrays import Floats
from evolution.placement.baselines import BASELINES, at_random, heft
from evolution.placement.bound import lower_bound
from evolution.placement.cost_model import CostModel
from evolution.placement.forecast import forecast
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import HEAT, default_budget, place, warm_up
from evolution.placement.local_search import Goal, LocalSearch
from evolution.placement.plan import Plan
from evolution.placement.problem import PlacementProblem

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
    Class(24, 8, 0.3, 40, 3, 10),
    Class(24, 8, 1.0, 40, 3, 10),
    Class(50, 15, 1.0, 4, 1, 0),
    Class(100, 25, 1.0, 2, 1, 0),
    Class(200, 50, 0.3, 6, 1, 0),
    Class(200, 50, 1.0, 6, 1, 0),
    Class(1000, 200, 1.0, 1, 1, 0),
)
QUICK = (Class(24, 8, 0.3, 5, 2, 0), Class(24, 8, 1.0, 5, 2, 0))


class Proofs:
    """What CP-SAT said, kept in a file if there is one, so that a run can be taken up again."""

    def __init__(self, seconds: float, file: Path | None) -> None:
        self.seconds = seconds
        self._file = file
        self._kept = json.loads(file.read_text()) if file and file.exists() else {}

    def of(self, kind: Class, seed: int, known_s: float, placement: dict[str, str]) -> Optimum:
        """Return the proof of an instance, from the file or anew."""
        key = f"{_title(kind)}, seed {seed}, {self.seconds:g} s"
        if key not in self._kept:
            model = CostModel(instance(seed, kind.partitions, kind.devices, kind.ratio))
            proof = optimum(model, known_s, placement, self.seconds, threads=2)
            self._kept[key] = asdict(proof)
            if self._file:
                self._file.write_text(json.dumps(self._kept))
        return Optimum(**self._kept[key])


def measure(kind: Class, proofs: Proofs) -> tuple[list[Row], list[str]]:
    """Return a row for each method, and sentences on what is proven."""
    found: dict[str, list[tuple[float, float]]] = {}  # method: response and seconds
    best: list[float] = []
    proven: list[Optimum] = []
    for seed in range(FRESH, FRESH + kind.instances):
        problem = instance(seed, kind.partitions, kind.devices, kind.ratio)
        model = CostModel(problem)
        values = _all_methods(model)
        values["ours"], placement = _ours(problem, default_budget(model))
        known = min(value for value, _ in values.values())
        if kind.longer > 1:
            longer, placement = _ours(problem, kind.longer * default_budget(model), seed=1)
            known = min(known, longer[0])
        if len(proven) < kind.cp_sat and proofs.seconds > 0:
            proof = proofs.of(kind, seed, known, placement)
            proven.append(proof)
            if proof.placement:
                said = forecast(problem, proof.placement, proof.priority).response_s
                known = min(known, said)
        best.append(known)
        for method, value in values.items():
            found.setdefault(method, []).append(value)
        found.setdefault("lower bound", []).append((lower_bound(model, "response"), 0.0))
    rows = [_row(kind, method, values, best) for method, values in found.items()]
    ours, hefts, bounds, annealed = (
        np.array([value for value, _ in found[name]])
        for name in ("ours", "heft", "lower bound", "annealing")
    )
    below, most = _below(ours, hefts), _below(bounds, hefts)
    notes = [
        f"ours is {below} below HEFT on average; the lower bound allows at most {most}",
        f"ours over annealing: {np.mean(ours / annealed):.4f}",
    ]
    if proven:
        least = np.array([proof.bound_s for proof in proven])
        done = np.array([proof.proven for proof in proven])
        over, below = ours[: len(least)] / least, _below(least, hefts[: len(least)])
        notes.append(
            f"CP-SAT proved {done.sum()} of {len(done)} optima in {proofs.seconds:.0f} s each; ours"
            f" is {over.mean():.4f} of its bound (worst {over.max():.4f}), and of the proven ones"
            f" {over[done].mean():.4f} (worst {over[done].max():.4f}); its bound is {below} below HEFT"
        )
    return rows, [f"{_title(kind)}: {note}" for note in notes]


def _below(values: Floats, others: Floats) -> str:
    """Say how far values are below others on average."""
    return f"{1 - np.mean(values / others):.1%}"


def _all_methods(model: CostModel) -> dict[str, tuple[float, float]]:
    """Return the response and the seconds spent of every method but ours."""
    values: dict[str, tuple[float, float]] = {}
    began = time.process_time()
    search = LocalSearch(model, Goal())
    rng = np.random.Generator(np.random.PCG64(0))
    start = Plan(tuple(heft(model)), tuple(model.rank))
    response = search.refined(start, default_budget(model), HEAT, rng)[1]
    values["annealing"] = (response, time.process_time() - began)
    for name, way in BASELINES.items():
        began = time.process_time()
        plan = way(model)
        spent = time.process_time() - began
        values[name] = (response_seconds(model, plan, model.rank), spent)
    drawn = [response_seconds(model, at_random(model, rng), model.rank) for _ in range(RANDOM)]
    values["random"] = (float(np.median(drawn)), 0.0)
    return values


def _ours(
    problem: PlacementProblem, budget: int, seed: int = 0
) -> tuple[tuple[float, float], dict[str, str]]:
    """Return the response and the seconds spent of the genetic algorithm, and its placement."""
    began = time.process_time()
    result = place(problem, seed=seed, budget=budget)
    return (result.response_s, time.process_time() - began), result.placement


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
    parser.add_argument("--proofs", type=Path, metavar="FILE", help="keep CP-SAT's answers here")
    sizes = sorted({f"{kind.partitions}x{kind.devices}" for kind in FULL})
    parser.add_argument("--size", choices=sizes, help="this one only")
    parser.add_argument("--ratio", type=float, choices=[0.3, 1.0], help="this one only")
    asked = parser.parse_args()
    if not 0 <= asked.cp_sat < math.inf:
        parser.error("--cp-sat: seconds are not negative.")
    proofs = Proofs(asked.cp_sat, asked.proofs)
    warm_up()
    rows: list[Row] = []
    notes: list[str] = []
    for kind in QUICK if asked.quick else FULL:
        if asked.size and asked.size != f"{kind.partitions}x{kind.devices}":
            continue
        if asked.ratio not in {None, kind.ratio}:
            continue
        of_kind, said = measure(kind, proofs)
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
