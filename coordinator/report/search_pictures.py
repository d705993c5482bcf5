"""The pictures of a search: fitness and its terms by generation, and accuracy against MACs."""

from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

from coordinator.report.colours import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    LIGHT,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TERMS: Final = {
    "heaviest": ("heaviest branch / budget", BLUE, "-"),
    "whole": ("whole network / budget", SKY, "--"),
    "isolated": ("isolated nodes", GREEN, "-"),
    "unequal": ("unequal branches", ORANGE, "-"),
    "exchanged": ("exchanged bytes", PURPLE, "-."),
    "empty": ("empty stages", VERMILLION, ":"),
    "response": ("response / budget", BLACK, "--"),
}

Records = Sequence[dict[str, Any]]


def draw_generations(individuals: Records) -> "Figure":
    """Return fitness and accuracy by generation, and below the mean of every term of the penalties."""
    from matplotlib.figure import Figure

    generations: list[list[dict[str, Any]]] = []
    for record in individuals:
        if record["generation"] == len(generations):
            generations.append([])
        generations[-1].append(record)
    xs = list(range(len(generations)))

    def means(name: str) -> list[float]:
        return [mean(record[name] for record in records) for records in generations]

    figure = Figure(figsize=(9.5, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    best = [max(record["fitness"] for record in records) for records in generations]
    ever = [max(best[: x + 1]) for x in xs]
    above.plot(
        xs, ever, color=BLUE, drawstyle="steps-post", linewidth=2, label="fitness, best so far"
    )
    above.plot(xs, best, color=BLUE, marker="o", markersize=3, linewidth=0, label="fitness, best")
    above.plot(xs, means("fitness"), color=BLUE, linestyle="--", label="fitness, mean")
    above.plot(xs, means("accuracy"), color=ORANGE, linestyle="-.", label="accuracy, mean")
    above.set_ylabel("fitness, accuracy (1 = 100 %)")
    for name, (label, colour, style) in _TERMS.items():
        if name in individuals[0]:
            below.plot(xs, means(name), color=colour, linestyle=style, label=label)
    below.set_ylabel("term before its weight, mean")
    below.set_ylim(bottom=0)
    below.set_xlabel("generation (0 is the random one)")
    below.xaxis.get_major_locator().set_params(integer=True)
    for axes in (above, below):
        _plain(axes)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
    return figure


def draw_front(networks: Records, front: Sequence[int], best: str) -> "Figure":
    """Return accuracy against the MACs of the heaviest branch, a dot for each distinct network.

    `front` are indices of the networks that no other dominates, `best` is the one of best fitness.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 5.2), layout="constrained")
    axes = figure.subplots()
    top = max(record["heaviest_macs"] for record in networks)
    factor, unit = (1e6, "millions of ") if top >= 2e6 else (1e3, "thousands of ")

    def dots(records: Records, **style: Any) -> None:
        axes.scatter(
            [record["heaviest_macs"] / factor for record in records],
            [100 * record["accuracy"] for record in records],
            **style,
        )

    chosen = set(front)
    others = [record for index, record in enumerate(networks) if index not in chosen]
    dots(others, s=16, color=LIGHT, edgecolor=GREY, linewidth=0.5, label=f"{len(others)} networks")
    kept = [networks[index] for index in front]
    dots(
        kept, s=34, color=ORANGE, edgecolor=BLACK, linewidth=0.6,
        label=f"{len(kept)} that no other dominates",
    )  # fmt: skip
    winner = [record for record in networks if record["network"] == best]
    dots(
        winner[:1], s=150, marker="*", color=BLUE, edgecolor="white", label="best fitness", zorder=4
    )
    axes.set_xlabel(f"{unit}MACs of the heaviest branch, one picture")
    axes.set_ylabel("validation accuracy, %")
    _plain(axes)
    axes.legend(loc="lower right", fontsize=9)
    return figure


def _plain(axes: Any) -> None:
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
