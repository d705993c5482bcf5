import json
import os
import subprocess
import sys
from pathlib import Path

from evolution.placement.baselines import heft
from evolution.placement.cost_model import CostModel
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import place
from evolution.placement.problem import PlacementProblem

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "placement-24x8.json"


def test_the_example_is_placed_better_than_heft_places_it() -> None:
    problem = PlacementProblem.from_json(json.loads(EXAMPLE.read_text()))
    assert (len(problem.partitions), len(problem.devices)) == (24, 8)
    model = CostModel(problem)
    result = place(problem)
    assert result.response_s < response_seconds(model, heft(model), model.rank)
    assert result.response_s == 0.14122431818181816  # on any machine
    at = [model.device_ids.index(device) for device in result.placement.values()]
    assert result.energy_j == model.energy(at)
    assert result.placement["camera"] == problem.pinned["camera"]
    assert result.placement["fusion"] in problem.allowed["fusion"]


def test_the_order_of_hashes_changes_nothing() -> None:
    program = (
        "import json, pathlib; from evolution.placement.genetic import place;"
        "from evolution.placement.problem import PlacementProblem;"
        f"text = pathlib.Path({str(EXAMPLE)!r}).read_text();"
        "print(place(PlacementProblem.from_json(json.loads(text)), budget=20_000))"
    )
    seed = str(1 + (os.environ.get("PYTHONHASHSEED") == "1"))
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    problem = PlacementProblem.from_json(json.loads(EXAMPLE.read_text()))
    assert said.strip() == str(place(problem, budget=20_000))
