"""What a placement will do, in words that others use: seconds, frames per second, a timeline."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evolution.placement.cost_model import CostModel
from evolution.placement.frame import Record, Resource, response_seconds
from evolution.placement.problem import PlacementProblem


@dataclass(frozen=True, slots=True)
class Interval:
    """A resource of a device in use, in seconds from the frame's start.

    `subject` is the partition computed or the tensor moved. The latency of a transfer comes after
    its interval and is no part of it.
    """

    resource: Resource
    device: str
    subject: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """One frame on an idle fog, and what the fog can keep up with (inf when it costs nothing).

    `energy_j` are the joules of a frame, None where the problem lacks figures for it.
    """

    response_s: float
    frames_per_s: float
    timeline: tuple[Interval, ...]
    energy_j: float | None = None


def forecast(
    problem: PlacementProblem,
    placement: Mapping[str, str],
    priority: Mapping[str, float] | None = None,
) -> Forecast:
    """Return what a frame does under a placement; priorities not given are the upward rank.

    Raises ValueError when a partition is missing, is where it may not run, or memory or the energy
    budget is exceeded.
    """
    model = CostModel(problem)
    device = _devices(model, placement)
    given = priority or {}
    for name in [*placement, *given]:
        if name not in model.partition_ids:
            raise ValueError(f"placement: there is no partition {name!r}.")
    ranks = zip(model.partition_ids, model.rank, strict=True)
    priorities = [given.get(p, rank) for p, rank in ranks]
    record: Record = []
    response = response_seconds(model, device, priorities, record)
    busiest = model.busiest(device)

    def subject(resource: Resource, index: int) -> str:
        return model.partition_ids[index] if resource == "compute" else problem.tensors[index].id

    return Forecast(
        response_s=response,
        frames_per_s=1 / busiest if busiest else math.inf,
        timeline=tuple(
            Interval(resource, model.device_ids[d], subject(resource, index), start, end)
            for resource, d, index, start, end in record
        ),
        energy_j=model.energy(device) if problem.counts_energy else None,
    )


def _devices(model: CostModel, placement: Mapping[str, str]) -> list[int]:
    """Return the device index of every partition, (P,), of a placement that keeps the rules."""
    device: list[int] = []
    for name, choices in zip(model.partition_ids, model.choices, strict=True):
        if name not in placement:
            raise ValueError(f"placement: {name} is missing.")
        found = [d for d in choices if model.device_ids[d] == placement[name]]
        if not found:
            raise ValueError(f"placement.{name}: may not run on {placement[name]!r}.")
        device += found
    for d, room in enumerate(model.room(device)):
        if room < 0:
            raise ValueError(f"placement: {model.device_ids[d]} lacks {-room:.0f} bytes of memory.")
    budget = model.problem.energy_budget_j
    if budget is not None and model.energy(device) > budget:
        raise ValueError(
            f"placement: needs {model.energy(device):g} J a frame, more than energy_budget_j."
        )
    return device
