"""What a search file says: the data, the space, the algorithm, the fitness and the training."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from evolution.cost import NetworkShape, branch_macs, total_macs
from evolution.engine import Settings
from evolution.fitness import Weights
from evolution.genome import Genome, Space, Stage
from models.training import Schedule
from pictures.dataset import Dataset

Positive = Annotated[int, Field(gt=0)]


class Network(BaseModel):
    """The sizes that the genome leaves open: channels by width index and stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    channels: tuple[tuple[Positive, ...], ...]
    kernel: Positive = 3


class FitnessConfig(BaseModel):
    """Weights of the penalties; budgets in MACs, by default those of the dense network."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    complexity: Annotated[float, Field(ge=0)] = 0.0
    structure: Annotated[float, Field(ge=0)] = 0.0
    branch_budget: Positive | None = None
    total_budget: Positive | None = None


class SearchConfig(BaseModel):
    """A search, whole; the same file and seed give the same result."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dataset: str
    space: Space
    network: Network
    seed: int = 0
    algorithm: Settings = Settings()
    fitness: FitnessConfig = FitnessConfig()
    training: Schedule
    winner: Schedule
    pictures: Positive | None = None
    validation: Positive = 500
    workers: Positive | None = None

    @field_validator("space", "algorithm", "training", "winner", mode="before")
    @classmethod
    def _known_fields(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what no field is named: a misspelt setting must not be ignored."""
        kinds = {"space": Space, "algorithm": Settings, "training": Schedule, "winner": Schedule}
        kind = kinds[info.field_name or ""]
        if isinstance(value, dict):
            known = {field.name for field in fields(kind)}
            for name in value:
                if name not in known:
                    raise ValueError(
                        f"{name}: no such setting; there are {', '.join(sorted(known))}"
                    )
        return value

    def shape(self, dataset: Dataset) -> NetworkShape:
        """Return the network's sizes on a data set.

        Raises:
            ValueError: channels do not fit the space, or the pictures are too small for its stages.
        """
        shape = NetworkShape(
            classes=len(dataset.classes),
            input=dataset.shape,
            channels=self.network.channels,
            kernel=self.network.kernel,
        )
        shape.check(self.dense())
        return shape

    def dense(self) -> Genome:
        """Return the genome with every edge, at the widest: the yardstick of the budgets."""
        branch = tuple(Stage.from_bits("1" * (k * (k - 1) // 2)) for k in self.space.nodes)
        widest = max(self.space.widths - 1, 0)
        return Genome(
            branches=(branch,) * self.space.branches,
            widths=(widest,) * self.space.branches if self.space.widths else None,
        )

    def weights(self, shape: NetworkShape) -> Weights:
        """Return the weights of the fitness, budgets filled in."""
        dense = self.dense()
        return Weights(
            branch_budget=self.fitness.branch_budget or max(branch_macs(dense, shape)),
            total_budget=self.fitness.total_budget or total_macs(dense, shape),
            complexity=self.fitness.complexity,
            structure=self.fitness.structure,
        )
