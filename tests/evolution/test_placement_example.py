import json
from pathlib import Path

from evolution.placement.baselines import heft
from evolution.placement.cost_model import CostModel
from evolution.placement.frame import response_seconds
from evolution.placement.genetic import place
from evolution.placement.problem import PlacementProblem

EXAMPLE = Path(__file__).parents[2] / "examples" / "placement-24x8.json"


def test_the_example_is_placed_better_than_heft_places_it() -> None:
    problem = PlacementProblem.from_json(json.loads(EXAMPLE.read_text()))
    assert (len(problem.partitions), len(problem.devices)) == (24, 8)
    model = CostModel(problem)
    result = place(problem)
    assert result.response_s < response_seconds(model, heft(model), model.rank)
    assert result.response_s == 0.14185120000000004  # on any machine
    assert result.placement["camera"] == problem.pinned["camera"]
    assert result.placement["fusion"] in problem.allowed["fusion"]
