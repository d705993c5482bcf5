"""The fitness of a network on devices: accuracy less two penalties, every term kept beside it."""

import math
from dataclasses import asdict, dataclass, fields

from evolution.cost import NetworkShape, branch_macs, exchanged_bytes, stage_output_bytes
from evolution.genome import Genome


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the penalties count, what they are measured against, and what they are made of.

    `branch_budget` and `total_budget` are MACs. The parts of complexity (`heaviest`, `whole`) and
    of structure (`isolated`, `unequal`, `exchanged`, `empty`) are multiplied by their own weights.
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

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{field.name}: is a number that is not negative.")
        if self.branch_budget == 0 or self.total_budget == 0:
            raise ValueError("branch_budget, total_budget: a budget is above zero.")


@dataclass(frozen=True, slots=True)
class Fitness:
    """All terms of one individual. The parts are before their weights, so they compare by eye.

    `heaviest` and `whole` are fractions of their budgets, which a network may exceed.
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

    def as_dict(self) -> dict[str, float]:
        """Return every term by name, for `individuals.jsonl`."""
        return asdict(self)


def fitness_of(genome: Genome, accuracy: float, shape: NetworkShape, weights: Weights) -> Fitness:
    """Return accuracy - complexity weight * complexity - structure weight * structure.

    Raises ValueError when the accuracy is no fraction or the shape does not cover the genome.
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
        total=accuracy - weights.complexity * complexity - weights.structure * structure,
    )
