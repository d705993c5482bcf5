"""What `learn` decides for a data set: space, sizes, and how long everything is trained; pure."""

from dataclasses import fields, replace
from typing import Any, Final

from coordinator.search.config import SearchConfig
from coordinator.search.input import InputConfig
from evolution.cost import NetworkShape
from evolution.genome import Space
from models.training import Schedule

POPULATION, GENERATIONS = 4, 1
"""Eight networks at most: between networks of one space there is less than between trainings of one of
them (docs/search.md), so a long search would mostly choose luck."""

CANDIDATE_PICTURES: Final = 1000
"""A candidate learns from so many pictures at most: enough to see what learns."""

THREADS: Final = 1
"""Two threads took 22.8 CPU seconds where one took 11.0 (96x72, batches of 16): these convolutions are too
small to share. And one thread gives the same network on every machine."""

COMPLEXITY, STRUCTURE = 0.02, 0.01
WORKERS: Final = 2


def decide(
    dataset: str,
    wanted: InputConfig,
    seed: int,
    *,
    networks: tuple[Space, NetworkShape],
    candidate: Schedule,
    winner: Schedule,
    pictures: int | None = None,
) -> SearchConfig:
    """Return the search for a data set; the same arguments give the same search on every machine.

    dataset: a name, or the folder's absolute path. networks: the space, and its sizes.
    candidate, winner: how each is trained. pictures: that a candidate learns from, None for all.
    """
    space, shape = networks
    return SearchConfig.model_validate(
        {
            "dataset": dataset,
            "input": wanted,
            "seed": seed,
            "space": space,
            "network": {"channels": shape.channels, "kernel": shape.kernel},
            "algorithm": {"population": POPULATION, "generations": GENERATIONS},
            "fitness": {"complexity": COMPLEXITY, "structure": STRUCTURE},
            "training": replace(candidate, seed=seed),
            "winner": replace(winner, seed=seed),
            "pictures": pictures,
            "workers": WORKERS,
        }
    )


def trained_for(schedule: Schedule, epochs: int) -> Schedule:
    """Return a schedule of another length: the same in everything else."""
    scale = epochs / schedule.epochs
    phases = tuple((max(1, round(count * scale)), rate) for count, rate in schedule.phases)
    patience = schedule.patience and max(1, round(schedule.patience * scale))
    return replace(schedule, phases=phases, patience=patience)


def settings(config: SearchConfig) -> dict[str, Any]:
    """Return a configuration as the search file that says the same, without what is so by default."""
    written = config.model_dump(mode="json", exclude_defaults=True)
    for name in ("training", "winner"):
        written[name] = _changed(getattr(config, name), written.get(name, {}))
    for name in ("space", "algorithm"):
        kept = getattr(config, name)
        written[name] = {
            field.name: written[name][field.name]
            for field in fields(kept)
            if getattr(kept, field.name) != field.default
        }
    return written


def _changed(schedule: Schedule, written: dict[str, Any]) -> dict[str, Any]:
    default = Schedule()
    return {
        field.name: written[field.name]
        for field in fields(schedule)
        if field.name == "phases" or getattr(schedule, field.name) != getattr(default, field.name)
    }
