"""From a bundle and the fog nodes at hand to a placement; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from coordinator.fog.layout_request import LayoutRequest, placement_problem
from coordinator.fog.taken import Taken
from evolution.placement.bound import lower_bound
from evolution.placement.candidates import narrowed, roomiest
from evolution.placement.cost_model import CostModel
from evolution.placement.fog import ANSWER, CAMERA
from evolution.placement.forecast import forecast
from evolution.placement.genetic import brief_budget, place
from evolution.placement.problem import PlacementProblem
from evolution.placement.shared import Cameras, Neighbour, shared_p95_s

_CAMERAS: Final = {CAMERA: CAMERA, ANSWER: CAMERA}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which fog node runs which partition at which priority, and what that is predicted to reach.

    `response_s` is one frame's on an idle fog (but for what others take), `frames_per_s` what it
    keeps up with, `p95_s` what 95 % of the frames keep to with the cameras that there are. `seconds`
    are what each partition should take where it runs, and `standby` is the fog node that runs the
    fusion too and answers when the first does not.
    """

    placement: dict[str, str]
    priority: dict[str, float]
    response_s: float
    lower_bound_s: float
    frames_per_s: float | None = None
    p95_s: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    standby: str = ""

    @property
    def nodes(self) -> frozenset[str]:
        """The fog nodes that it needs, the standby of its fusion included."""
        return frozenset({*self.placement.values(), self.standby} - {""})

    def keeps_up(self, frames_per_s: float | None) -> bool:
        """Return whether it does with a rate, or with none in particular."""
        return frames_per_s is None or (self.frames_per_s or 0.0) >= frames_per_s


def laid_out(request: LayoutRequest) -> Layout:
    """Return the best layout found; the same request gives the same layout.

    Where no layout keeps up with the rate, it is the one that comes nearest.

    Raises:
        ValueError: there is none, for a reason that one sentence names.
    """
    problem = placement_problem(request)
    few = narrowed(problem)
    try:
        layout = placed_on(few, request.frames_per_s)
    except ValueError:
        if few is problem:
            raise
        # Nodes that were left out may have the memory that is missing.
        layout = placed_on(roomiest(problem), request.frames_per_s)
    return predicted(request, layout)


def predicted(request: LayoutRequest, layout: Layout) -> Layout:
    """Return a layout with what it is predicted to reach by what is known now; its memory is not counted.

    Raises:
        ValueError: it uses a node that the request does not have.
    """
    problem = placement_problem(request, memory=False)
    placement = {**layout.placement, **_CAMERAS}
    model = CostModel(problem)
    return Layout(
        layout.placement,
        layout.priority,
        forecast(problem, placement, layout.priority).response_s,
        lower_bound(model, "response"),
        _keeps_up_with(model, placement),
        _p95_s(request, layout),
        {
            part.id: request.usual_s(part, layout.placement[part.id])
            for part in request.bundle.partitions
        },
        layout.standby,
    )


def response_s(request: LayoutRequest, layout: Layout) -> float:
    """Return the seconds of a lone frame; what others take is taken off, their runs are not simulated.

    Raises:
        ValueError: it uses a node that the request does not have.
    """
    problem = placement_problem(request, memory=False)
    return forecast(problem, {**layout.placement, **_CAMERAS}, layout.priority).response_s


def _p95_s(request: LayoutRequest, layout: Layout) -> float | None:
    """Return what 95 % of the frames keep to with the cameras of now, beside the neighbours."""
    if request.frames_per_s is None:
        return None
    model = CostModel(placement_problem(request.uninterrupted(), memory=False))
    ranks = zip(model.partition_ids, model.rank, strict=True)
    return shared_p95_s(
        model,
        _devices(model, {**layout.placement, **_CAMERAS}),
        [layout.priority.get(part, rank) for part, rank in ranks],
        request.cameras or Cameras(request.frames_per_s),
        request.neighbours,
    )


def taken_by(request: LayoutRequest, layout: Layout, frames_per_s: float) -> dict[str, Taken]:
    """Return what a layout takes of every node that it uses when it serves so many frames a second.

    Memory is not in it: that is counted by artifact (`coordinator.fog.held`).

    Raises:
        ValueError: it uses a node that the request does not have.
    """
    problem = placement_problem(request.alone(), memory=False)
    compute, up, down = _loads(CostModel(problem), {**layout.placement, **_CAMERAS})
    return {
        device.id: Taken(
            compute[d] * frames_per_s,
            up[d] * device.uplink_bytes_per_s * frames_per_s,
            down[d] * device.downlink_bytes_per_s * frames_per_s,
        )
        for d, device in enumerate(problem.devices)
        if device.id in set(layout.placement.values())
    }


def neighbour(request: LayoutRequest, layout: Layout, cameras: Cameras) -> Neighbour:
    """Return a layout as its neighbours meet it: what a frame computes where."""
    runs = [
        (layout.placement[part.id], request.seconds(part, layout.placement[part.id]))
        for part in request.bundle.partitions
    ]
    return Neighbour(cameras, tuple(runs))


def _keeps_up_with(model: CostModel, placement: Mapping[str, str]) -> float | None:
    """Return the frames a second of the busiest fog node; None when a frame costs nothing there."""
    nodes = [d for d, name in enumerate(model.device_ids) if name != CAMERA]
    busiest = max(resource[d] for resource in _loads(model, placement) for d in nodes)
    return 1 / busiest if busiest else None


def _loads(
    model: CostModel, placement: Mapping[str, str]
) -> tuple[list[float], list[float], list[float]]:
    """Return what a frame takes of all processors, uplinks and downlinks, in seconds, (D,) each."""
    return model.loads(_devices(model, placement))


def _devices(model: CostModel, placement: Mapping[str, str]) -> list[int]:
    """Return the device index of every partition, (P,)."""
    at = {name: d for d, name in enumerate(model.device_ids)}
    if strange := sorted(set(placement.values()) - at.keys()):
        raise ValueError(f"placement: there is no fog node {strange[0]!r}.")
    return [at[placement[name]] for name in model.partition_ids]


def placed_on(problem: PlacementProblem, rate: float | None) -> Layout:
    """Search on all devices of a problem; what the layout is `predicted` to reach is another question."""
    model = CostModel(problem)
    budget = brief_budget(model)
    placed = place(problem, budget=budget, rate=rate)
    if rate is not None and placed.frames_per_s < rate:
        quickest = place(problem, "throughput", budget=budget)
        placed = max(placed, quickest, key=lambda found: found.frames_per_s)
    ranks = dict(zip(model.partition_ids, model.rank, strict=True))
    placement = {part: node for part, node in placed.placement.items() if part not in _CAMERAS}
    priority = {part: placed.priority.get(part, ranks[part]) for part in placement}
    return Layout(placement, priority, placed.response_s, placed.lower_bound_s)
