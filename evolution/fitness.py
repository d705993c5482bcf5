"""The fitness of a network on devices: accuracy less two penalties, every term kept beside it."""

import math
from dataclasses import asdict, dataclass, fields

from evolution.cost import NetworkShape, branch_macs, exchanged_bytes, stage_output_bytes
from evolution.genome import Genome


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the penalties count, what they are measured against, and what they are made of.

    `branch_budget` and `total_budget` are MACs, `response_budget_s` is seconds (None: no devices
    are known). The parts of complexity (`heaviest`, `whole`) and of structure (`isolated`,
    `unequal`, `exchanged`, `empty`) are multiplied by their own weights.
    """

    branch_budget: float
    total_budget: float
    complexity: float = 0.0
    structure: float = 0.0
    heaviest: float = 0.5
    whole: float = 0.5
    isolated: float = 0.25
    unequal: float = 0.25
    exchanged: float = 0.25
    empty: float = 0.25
    response_budget_s: float | None = None
    response: float = 0.0
    over_budget: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and (not math.isfinite(value) or value < 0):
                raise ValueError(f"{field.name}: is a number that is not negative.")
        if self.branch_budget == 0 or self.total_budget == 0:
            raise ValueError("branch_budget, total_budget: a budget is above zero.")
        if self.response_budget_s == 0:
            raise ValueError("response_budget_s: a budget is above zero.")


@dataclass(frozen=True, slots=True)
class Fitness:
    """All terms of one individual. The parts are before their weights, so they compare by eye.

    `heaviest`, `whole` and `response` are fractions of their budgets, which a network may exceed;
    `over_budget` is what `response` has above 1. `response_s` is None without devices.
    The others lie between 0 and 1: `isolated` nodes of all nodes, `unequal` (1 - the lightest
    branch's MACs over the heaviest's), `exchanged` bytes of those that all branches could exchange,
    `empty` stages of all stages.
    """

    accuracy: float
    heaviest: float
    whole: float
    isolated: float
    unequal: float
    exchanged: float
    empty: float
    complexity: float
    structure: float
    total: float
    response_s: float | None = None
    response: float = 0.0
    over_budget: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return every term by name, for `individuals.jsonl`; those of the response if it is known."""
        terms = asdict(self)
        if self.response_s is None:
            for name in ("response_s", "response", "over_budget"):
                del terms[name]
        return terms


def fitness_of(
    genome: Genome,
    accuracy: float,
    shape: NetworkShape,
    weights: Weights,
    response_s: float | None = None,
) -> Fitness:
    """Return the accuracy less complexity, structure, response and over_budget, each times its weight.

    `response_s`: the predicted response on the devices, in seconds. Raises ValueError when the
    accuracy is no fraction or the shape does not cover the genome.
    """
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy: {accuracy} is not between 0 and 1.")
    macs = branch_macs(genome, shape)
    stages = [stage for branch in genome.branches for stage in branch]
    handed = stage_output_bytes(genome, shape)
    last = genome.stage_count - 1
    possible = (genome.branch_count - 1) * sum(b for (_, s), b in handed.items() if s < last)

    heaviest = max(macs) / weights.branch_budget
    whole = sum(macs) / weights.total_budget
    isolated = genome.isolated_nodes / sum(stage.nodes for stage in stages)
    unequal = 1 - min(macs) / max(macs)
    exchanged = exchanged_bytes(genome, shape) / possible if possible else 0.0
    empty = sum(stage.is_empty for stage in stages) / len(stages)

    complexity = weights.heaviest * heaviest + weights.whole * whole
    structure = (
        weights.isolated * isolated
        + weights.unequal * unequal
        + weights.exchanged * exchanged
        + weights.empty * empty
    )
    response = (
        response_s / weights.response_budget_s if response_s and weights.response_budget_s else 0.0
    )
    over_budget = max(0.0, response - 1)
    return Fitness(
        accuracy=accuracy,
        heaviest=heaviest,
        whole=whole,
        isolated=isolated,
        unequal=unequal,
        exchanged=exchanged,
        empty=empty,
        complexity=complexity,
        structure=structure,
        total=accuracy
        - weights.complexity * complexity
        - weights.structure * structure
        - weights.response * response
        - weights.over_budget * over_budget,
        response_s=response_s,
        response=response,
        over_budget=over_budget,
    )
