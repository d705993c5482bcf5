"""From a genome and its accuracy to everything a search ranks it by; pure."""

from dataclasses import dataclass
from typing import Any

from coordinator.search.config import SearchConfig
from coordinator.search.response import PredictedResponse
from evolution.cost import NetworkShape, branch_macs, exchanged_bytes, parameters
from evolution.fitness import Fitness, Weights, fitness_of
from evolution.genome import Genome


@dataclass(frozen=True, slots=True)
class Scored:
    """An individual with its fitness and its costs; MACs by branch, bytes and parameters whole."""

    genome: Genome
    fitness: Fitness
    branch_macs: tuple[int, ...]
    exchanged_bytes: int
    parameters: int

    @property
    def network(self) -> str:
        """The text of the canonical genome: equal for isomorphic networks."""
        return str(self.genome.canonical())

    @property
    def objectives(self) -> tuple[float, ...]:
        """What the Pareto mode makes small: error, heaviest branch's MACs, bytes exchanged, seconds."""
        costs = (1 - self.fitness.accuracy, max(self.branch_macs), self.exchanged_bytes)
        response = self.fitness.response_s
        return costs if response is None else (*costs, response)

    def record(self) -> dict[str, Any]:
        """Return the genome and every term of the fitness, the sum under the name ``fitness``."""
        terms = self.fitness.as_dict()
        return {
            "genome": str(self.genome),
            "network": self.network,
            "fitness": terms.pop("total"),
            **terms,
            "heaviest_macs": max(self.branch_macs),
            "exchanged_bytes": self.exchanged_bytes,
            "macs": sum(self.branch_macs),
            "parameters": self.parameters,
        }


@dataclass(frozen=True, slots=True)
class Scoring:
    """The sizes of the networks, the weights of the fitness, and the devices' response if known."""

    shape: NetworkShape
    weights: Weights
    response: PredictedResponse | None = None

    @classmethod
    def of(cls, config: SearchConfig, shape: NetworkShape) -> "Scoring":
        """Return what a configuration asks for.

        Raises:
            ValueError: no network keeps to a budget, or fits the devices; the sentence names the field.
        """
        if not config.inventory:
            return cls(shape, config.weights(shape))
        response = PredictedResponse(config.inventory, shape)
        smallest = config.smallest(shape)
        if not response.fits(smallest):
            raise ValueError("devices: even the smallest network does not fit in their memory")
        budget = config.response.budget_s if config.response else None
        if budget is not None and budget < response(smallest):
            raise ValueError(
                f"response.budget_s: {budget:g} s, but the smallest network needs "
                f"{response(smallest):.4g} s on these devices"
            )
        return cls(shape, config.weights(shape, response(config.dense())), response)

    def __call__(self, genome: Genome, accuracy: float) -> Scored:
        """Score a genome whose accuracy has been measured."""
        seconds = None if self.response is None else self.response(genome)
        return Scored(
            genome,
            fitness_of(genome, accuracy, self.shape, self.weights, seconds),
            branch_macs(genome, self.shape),
            exchanged_bytes(genome, self.shape),
            parameters(genome, self.shape),
        )
