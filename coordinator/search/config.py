"""What a search file says: the data, the space, the algorithm, the fitness and the training."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from broker.files.file_model import FileModel, check_names
from broker.ranges import NO_CONTROLS
from coordinator.files import read_config
from coordinator.search.bounds import check_bounds
from coordinator.search.devices import FogDevice, read_inventory
from coordinator.search.input import InputConfig
from evolution.cost import NetworkShape, branch_macs, total_macs
from evolution.engine import Settings
from evolution.fitness import Weights
from evolution.genome import Genome, Space, Stage
from evolution.placement.fields import entries
from models.evaluator import QUICK
from models.training import Schedule
from pictures.dataset import Dataset

Positive = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

VALIDATING, MOST_VALIDATING = 0.2, 500
"""The share of the training pictures that is set apart unless the file says how many, and the most."""


def validating(pictures: int) -> int:
    """Return how many of so many training pictures are set apart where nobody says."""
    return min(MOST_VALIDATING, max(1, round(pictures * VALIDATING)))


SUPERNET = Schedule(phases=((15, 5e-3),), curve="one-cycle", batch=64)
"""What the shared weights get by default."""


class Network(FileModel):
    """The sizes that the genome leaves open: channels by width index and stage."""

    channels: tuple[tuple[Positive, ...], ...]
    kernel: Positive = 3


class FitnessConfig(FileModel):
    """Weights of the penalties; budgets in MACs, by default those of the dense network."""

    complexity: Weight = 0.0
    heaviest: Weight = 0.5
    whole: Weight = 0.5
    structure: Weight = 0.0
    isolated: Weight = 0.25
    unequal: Weight = 0.25
    exchanged: Weight = 0.25
    empty: Weight = 0.25
    branch_budget: Positive | None = None
    total_budget: Positive | None = None


class ResponseConfig(FileModel):
    """How the predicted response counts: its share of the budget, and what it has above it.

    Without a budget the dense network's response is the yardstick, and nothing is above it.
    """

    budget_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    weight: Weight = 0.0
    over_budget: Weight = 1.0


class SearchConfig(FileModel):
    """A search, whole; the same file and seed give the same result."""

    dataset: Annotated[str, Field(min_length=1, max_length=4096, pattern=NO_CONTROLS)]
    input: InputConfig = InputConfig()
    space: Space
    network: Network
    seed: Annotated[int, Field(ge=0)] = 0
    algorithm: Settings = Settings()
    mode: Literal["weighted", "pareto"] = "weighted"
    screening: Positive = 1
    """Candidates drawn for each child, of which the most promising is measured; 1 is the paper's way."""
    fitness: FitnessConfig = FitnessConfig()
    devices: str | tuple[FogDevice, ...] | None = None
    response: ResponseConfig | None = None
    evaluator: Literal["training", "supernet", "table"] = "training"
    training: Schedule = QUICK
    supernet: Schedule = SUPERNET
    table: Annotated[str | None, Field(validate_default=True)] = None
    pictures: Positive | None = None
    validation: Positive | None = None
    winner: Schedule
    workers: Annotated[int, Field(gt=0, le=1024)] | None = None

    @field_validator("space", "algorithm", "training", "supernet", "winner", mode="before")
    @classmethod
    def _known_fields(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what no field is named: a misspelt setting must not be ignored."""
        kinds = {"space": Space, "algorithm": Settings}
        if isinstance(value, dict):
            known = fields(kinds.get(info.field_name or "", Schedule))
            check_names(value, (field.name for field in known))
        return value

    @field_validator("devices", mode="before")
    @classmethod
    def _devices_by_their_fields(cls, value: Any) -> Any:
        if isinstance(value, list):
            read = entries({"devices": value}, "devices", FogDevice)
            return tuple(FogDevice(**entry) for entry in read)
        if value is not None and not isinstance(value, str | tuple):
            raise ValueError("name a file of devices, or list them")
        return value

    @field_validator("mode")
    @classmethod
    def _one_way_to_keep_the_best(cls, value: str, info: ValidationInfo) -> str:
        algorithm = info.data.get("algorithm")
        if value == "pareto" and isinstance(algorithm, Settings) and algorithm.elitism:
            raise ValueError("pareto keeps its best by itself; algorithm.elitism must be 0")
        return value

    @field_validator("screening")
    @classmethod
    def _by_one_number(cls, value: int, info: ValidationInfo) -> int:
        algorithm = info.data.get("algorithm")
        if value > 1 and info.data.get("mode") == "pareto":
            raise ValueError("compares candidates by their fitness; mode must be weighted")
        if value > 1 and isinstance(algorithm, Settings) and algorithm.elitism:
            raise ValueError("keeps the best by itself; algorithm.elitism must be 0")
        return value

    @field_validator("response")
    @classmethod
    def _on_devices(cls, value: ResponseConfig | None, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("devices", ()) is None:
            raise ValueError("needs `devices`, the ones it is predicted for")
        return value

    @field_validator("table")
    @classmethod
    def _named(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("evaluator") == "table":
            raise ValueError("is missing, and the evaluator is a table")
        return value

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        check_bounds(self)
        return self

    @property
    def most_validating(self) -> int:
        """How many pictures are set apart to choose by, at most."""
        return self.validation or MOST_VALIDATING

    def validating(self, pictures: int) -> int:
        """Return how many of so many training pictures are set apart to choose by, never to train on."""
        return self.validation or validating(pictures)

    @property
    def inventory(self) -> tuple[FogDevice, ...]:
        """The devices, once they have been read."""
        return self.devices if isinstance(self.devices, tuple) else ()

    def found_from(self, folder: Path) -> Self:
        """Return the same with paths made absolute (from `folder` on) and the devices read.

        Raises:
            FileError: the inventory is missing or wrong.
        """
        changes: dict[str, Any] = {}
        if self.dataset not in ("mnist", "fashion"):
            changes["dataset"] = str((folder / self.dataset).resolve())
        if isinstance(self.devices, str):
            changes["devices"] = read_inventory(folder / self.devices)
        if self.table is not None:
            changes["table"] = str((folder / self.table).resolve())
        return self.model_copy(update=changes)

    def shape(self, dataset: Dataset) -> NetworkShape:
        """Return the network's sizes on a data set.

        Raises:
            ValueError: channels do not fit the space, or the pictures are too small for its stages.
        """
        return self.shape_of(dataset.shape, len(dataset.classes))

    def shape_of(self, picture: tuple[int, int, int], classes: int) -> NetworkShape:
        """Return the network's sizes on pictures (C, H, W); raises as `shape`."""
        _, height, width = picture
        stages, halved = len(self.space.nodes), min(height, width).bit_length() - 1
        if stages > halved:
            raise ValueError(
                f"space.nodes: {stages} stages, and pictures of {width}x{height} can be halved "
                f"{halved} times"
            )
        try:
            shape = NetworkShape(
                classes=classes,
                input=picture,
                channels=self.network.channels,
                kernel=self.network.kernel,
            )
            shape.check(self.dense())
        except ValueError as error:
            named = str(error)
            raise ValueError(named if named.startswith("input") else f"network.{named}") from None
        return shape

    def dense(self) -> Genome:
        """Return the genome with every edge, at the widest: the yardstick of the budgets."""
        return self._uniform("1", max(self.space.widths - 1, 0))

    def smallest(self, shape: NetworkShape) -> Genome:
        """Return the genome without an edge, at the width of the fewest MACs: no network is smaller."""
        candidates = [self._uniform("0", width) for width in range(max(self.space.widths, 1))]
        return min(candidates, key=lambda genome: total_macs(genome, shape))

    def _uniform(self, bit: str, width: int) -> Genome:
        branch = tuple(Stage.from_bits(bit * (k * (k - 1) // 2)) for k in self.space.nodes)
        return Genome(
            branches=(branch,) * self.space.branches,
            widths=(width,) * self.space.branches if self.space.widths else None,
        )

    def weights(self, shape: NetworkShape, dense_response_s: float | None = None) -> Weights:
        """Return the weights of the fitness, budgets filled in.

        Raises:
            ValueError: a budget that no network keeps to; the sentence has both numbers.
        """
        dense, smallest = self.dense(), self.smallest(shape)
        fitness, response = self.fitness, self.response or ResponseConfig()
        for name, budget, needed in (
            ("branch_budget", fitness.branch_budget, max(branch_macs(smallest, shape))),
            ("total_budget", fitness.total_budget, total_macs(smallest, shape)),
        ):
            if budget is not None and budget < needed:
                raise ValueError(
                    f"fitness.{name}: {budget:,} MACs, but the smallest network needs {needed:,}"
                )
        return Weights(
            branch_budget=fitness.branch_budget or max(branch_macs(dense, shape)),
            total_budget=fitness.total_budget or total_macs(dense, shape),
            complexity=fitness.complexity,
            structure=fitness.structure,
            heaviest=fitness.heaviest,
            whole=fitness.whole,
            isolated=fitness.isolated,
            unequal=fitness.unequal,
            exchanged=fitness.exchanged,
            empty=fitness.empty,
            response_budget_s=response.budget_s or dense_response_s,
            response=response.weight,
            over_budget=response.over_budget if response.budget_s else 0.0,
        )


def read_search(path: Path) -> SearchConfig:
    """Read a search file; paths in it are relative to the folder it lies in.

    Raises:
        FileError: the file, or one that it names, is missing or wrong.
    """
    return read_config(path, SearchConfig).found_from(path.parent)
