"""A network as a picture: branches as rows, stages as boxes, the graph of nodes in each."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from coordinator.report.colours import BLUE, GREY, LIGHT, ORANGE, PALE, VERMILLION
from evolution.cost import NetworkShape, branch_macs, partition_macs
from evolution.genome import Genome, Stage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Place = tuple[float, float]

_COLUMN, _ROW, _GAP, _BRANCH_GAP = 1.0, 0.85, 1.1, 1.0
_RADIUS: Final = 0.26
_IN, _OUT = 0, -1  # the default input and output node of a stage


def layers(stage: Stage) -> list[list[int]]:
    """Return the nodes of a stage column by column: `_IN`, those with an edge by depth, `_OUT`.

    A stage without an edge is its input node alone.
    """
    if stage.is_empty:
        return [[_IN]]
    depth: dict[int, int] = {}
    for node in stage.active:
        depth[node] = 1 + max((depth[before] for before in stage.predecessors(node)), default=0)
    columns: dict[int, list[int]] = defaultdict(list)
    for node, at in depth.items():
        columns[at].append(node)
    return [[_IN], *(columns[at] for at in sorted(columns)), [_OUT]]


def edges(stage: Stage) -> list[tuple[int, int]]:
    """Return the edges of a stage, the default ones included."""
    if stage.is_empty:
        return []
    inner = [(before, node) for node in stage.active for before in stage.predecessors(node)]
    return [*((_IN, n) for n in stage.entries), *inner, *((n, _OUT) for n in stage.exits)]


def _rows(branch: Sequence[Stage], graph: Sequence[list[list[int]]]) -> float:
    """Return how many rows of nodes a branch needs, with room for edges that pass others by."""
    nodes = max(len(column) for stage in graph for column in stage)
    for stage, columns in zip(branch, graph, strict=True):
        depth = {node: x for x, column in enumerate(columns) for node in column}
        if any(depth[stop] - depth[start] > 1 for start, stop in edges(stage)):
            return nodes + 1.2
    return nodes


def draw_network(genome: Genome, shape: NetworkShape) -> "Figure":
    """Return the picture of a network; MACs are those of one picture."""
    from matplotlib.figure import Figure

    graphs = [[layers(stage) for stage in branch] for branch in genome.branches]
    columns = [max(len(g[s]) for g in graphs) for s in range(genome.stage_count)]
    rows = [_rows(branch, graph) for branch, graph in zip(genome.branches, graphs, strict=True)]
    lefts = [2.2 + sum(c * _COLUMN + _GAP for c in columns[:s]) for s in range(len(columns))]
    end = lefts[-1] + columns[-1] * _COLUMN + _GAP
    heights = [row * _ROW + _BRANCH_GAP for row in rows]
    middles = [-(sum(heights[:b]) + heights[b] / 2) for b in range(len(rows))]
    figure = Figure(figsize=(0.62 * (end + 4.0), 0.62 * (sum(heights) + 0.8)), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(-0.7, end + 3.6)
    axes.set_ylim(-sum(heights) - 0.3, 0.5)

    centre = sum(middles) / len(middles)
    _label(axes, (0.2, centre), "picture\n{}x{}x{}".format(*shape.input))
    _label(axes, (end + 2.8, centre), f"fusion\n{shape.classes} classes")
    macs, heaviest = partition_macs(genome, shape), branch_macs(genome, shape)
    for branch, stages in enumerate(genome.branches):
        y = middles[branch]
        _arrow(axes, (0.85, centre), (lefts[0] - 0.42, y), GREY)
        for s, stage in enumerate(stages):
            channels = shape.channels[genome.width(branch)][s]
            title = f"{channels} ch, {'x'.join(map(str, shape.size(s)))}, {amount(macs[branch, s])} MACs"
            right = _stage(
                axes, stage, graphs[branch][s], (lefts[s], y), rows=rows[branch], title=title
            )
            target = lefts[s + 1] - 0.42 if s + 1 < len(stages) else end
            _arrow(axes, (right, y), (target, y), GREY)
        _label(axes, (end + 0.8, y), f"logits\n{amount(heaviest[branch])} MACs", 7)
        _arrow(axes, (end + 1.5, y), (end + 2.1, centre), GREY)
    _draw_exchange(axes, genome, lefts, middles)
    return figure


def _draw_exchange(
    axes: Any,
    genome: Genome,
    lefts: Sequence[float],
    middles: Sequence[float],
) -> None:
    """Draw which branch also takes the stage output of another."""
    for branch in range(genome.branch_count):
        for s in range(1, genome.stage_count):
            for source in genome.sources(branch, s):
                if source != branch:
                    right = lefts[s] - 0.42 - _GAP  # where no box of any branch is left
                    down = 0.12 if source < branch else -0.12
                    _arrow(
                        axes,
                        (right, middles[source] - down),
                        (lefts[s] - 0.42, middles[branch] + down),
                        VERMILLION,
                        dashed=True,
                    )


def _stage(
    axes: Any, stage: Stage, columns: list[list[int]], at: Place, *, rows: float, title: str
) -> float:
    """Draw one stage with its first node at a place; return where its box ends."""
    from matplotlib.patches import FancyBboxPatch

    left, middle = at
    height, width = rows * _ROW, len(columns) * _COLUMN
    axes.add_patch(
        FancyBboxPatch(
            (left - 0.42, middle - height / 2),
            width - 0.16,
            height,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor=PALE,
            edgecolor=LIGHT,
        )
    )
    axes.text(left - 0.4, middle + height / 2 + 0.1, title, fontsize=6.5, va="bottom", color=GREY)
    places: dict[int, Place] = {}
    for x, column in enumerate(columns):
        for y, node in enumerate(column):
            places[node] = (left + x * _COLUMN, middle + ((len(column) - 1) / 2 - y) * _ROW)
    depth = {node: x for x, column in enumerate(columns) for node in column}
    for start, stop in edges(stage):
        span = depth[stop] - depth[start]
        bend = 0.3 + 0.2 / span if span > 1 else 0.0
        above = places[start][1] >= middle  # long edges pass on the side where their start is
        _arrow(axes, places[start], places[stop], BLUE, bend=-bend if above else bend, gap=_RADIUS)
    for node, place in places.items():
        default = node in (_IN, _OUT)
        _node(axes, place, {_IN: "in", _OUT: "out"}.get(node, str(node)), default=default)
    return left + width - 0.58


def _node(axes: Any, place: Place, name: str, *, default: bool) -> None:
    from matplotlib.patches import Circle

    colour = ORANGE if default else BLUE
    axes.add_patch(
        Circle(place, _RADIUS, facecolor="white", edgecolor=colour, linewidth=1.5, zorder=3)
    )
    axes.text(*place, name, ha="center", va="center", fontsize=7, zorder=4)


def _arrow(
    axes: Any,
    start: Place,
    stop: Place,
    colour: str,
    *,
    bend: float = 0.0,
    gap: float = 0.0,
    dashed: bool = False,
) -> None:
    """Draw an arrow; `gap` keeps it off the centres of circles of this radius."""
    from matplotlib.patches import FancyArrowPatch

    length = ((stop[0] - start[0]) ** 2 + (stop[1] - start[1]) ** 2) ** 0.5 or 1.0
    step = gap / length
    dx, dy = (stop[0] - start[0]) * step, (stop[1] - start[1]) * step
    if bend:  # leave and arrive beside the line between the centres
        dx, dy = dx * 0.75, dy * 0.75
        aside = gap * (0.65 if bend < 0 else -0.65)
        start, stop = (start[0], start[1] + aside), (stop[0], stop[1] + aside)
    axes.add_patch(
        FancyArrowPatch(
            (start[0] + dx, start[1] + dy),
            (stop[0] - dx, stop[1] - dy),
            arrowstyle="-|>",
            mutation_scale=8,
            linewidth=1.1,
            color=colour,
            shrinkA=0,
            shrinkB=0,
            connectionstyle=f"arc3,rad={bend}",
            linestyle="--" if dashed else "-",
            zorder=2,
        )
    )


def _label(axes: Any, place: Place, text: str, size: float = 8) -> None:
    axes.text(*place, text, ha="center", va="center", fontsize=size)


def amount(value: float) -> str:
    """Write a count with three digits and a prefix: `1.23 M`, `45.6 k`, `789`."""
    for factor, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.3g}{prefix}"
    return f"{value:.0f}"
