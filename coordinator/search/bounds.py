"""What a search may ask for: told from its file alone, before pictures are read or anything is computed."""

from typing import TYPE_CHECKING, Final

from evolution.cost import NetworkShape, parameters, total_macs
from models.training import Schedule

if TYPE_CHECKING:
    from coordinator.search.config import SearchConfig

MOST_INDIVIDUALS: Final = 1_000_000
MOST_CHANNELS: Final = 4096
MOST_PARAMETERS: Final = 50_000_000
"""Of the largest network of a space; ResNet-50 has 26 million."""
MOST_MACS: Final = 20_000_000_000
"""Of the largest network of a space, for a picture: ten seconds of a Raspberry Pi 4."""
MOST_SEED: Final = 2**63 - 1

_MOST: Final = {
    "population": 10_000,
    "generations": 100_000,
    "screening": 1024,
    "kernel": 31,
    "pictures": 10_000_000,
    "widths": 64,
    "epochs": 10_000,
    "rate": 100.0,
    "batch": 65_536,
    "shift": 1024,
    "weight_decay": 100.0,
    "weight": 1e6,
}


def check_bounds(config: "SearchConfig") -> None:
    """Refuse what no machine finishes, or would not survive.

    Raises:
        ValueError: one sentence with the field, what it asks for, and what is the most.
    """
    algorithm, network = config.algorithm, config.network
    _most("seed", config.seed, MOST_SEED)
    _most("algorithm.population", algorithm.population, _MOST["population"])
    _most("algorithm.generations", algorithm.generations, _MOST["generations"])
    individuals = algorithm.population * (algorithm.generations + 1)
    _most("algorithm: population * (generations + 1)", individuals, MOST_INDIVIDUALS)
    _most("screening", config.screening, _MOST["screening"])
    _most("space.widths", config.space.widths, _MOST["widths"])
    _most("network.channels", max(map(max, network.channels)), MOST_CHANNELS)
    _most("network.kernel", network.kernel, _MOST["kernel"])
    _most("pictures", config.pictures or 0, _MOST["pictures"])
    _most("validation", config.validation or 0, _MOST["pictures"])
    for name in type(config.fitness).model_fields:
        if not name.endswith("budget"):
            _most(f"fitness.{name}", getattr(config.fitness, name), _MOST["weight"])
    if config.response is not None:
        for name in ("weight", "over_budget"):
            _most(f"response.{name}", getattr(config.response, name), _MOST["weight"])
    if config.evaluator != "table" and config.pictures == 1:
        raise ValueError("pictures: 1, and batch normalisation needs two to train on")
    for name in ("training", "supernet", "winner"):
        _check_schedule(name, getattr(config, name))
    _check_rows(config)


def check_network(config: "SearchConfig", shape: NetworkShape) -> None:
    """Refuse a space whose largest network is too large for anything; ``shape`` knows the pictures.

    Raises:
        ValueError: as `check_bounds`.
    """
    dense = config.dense()
    channels, height, width = shape.input
    size = f"on pictures of {width}x{height}x{channels}"
    for takes, asked, most in (
        ("has {asked} parameters", parameters(dense, shape), MOST_PARAMETERS),
        (f"takes {{asked}} MACs {size}", total_macs(dense, shape), MOST_MACS),
    ):
        _most(f"space, network: the largest network {takes}", asked, most)


def _check_schedule(name: str, schedule: Schedule) -> None:
    _most(f"{name}.phases: epochs", schedule.epochs, _MOST["epochs"])
    _most(f"{name}.phases: rate", max(rate for _, rate in schedule.phases), _MOST["rate"])
    for setting in ("batch", "shift", "weight_decay"):
        _most(f"{name}.{setting}", getattr(schedule, setting), _MOST[setting])
    if not 0 <= schedule.seed <= MOST_SEED:
        raise ValueError(f"{name}.seed: {schedule.seed}, and a seed is 0 to {MOST_SEED}")


def _check_rows(config: "SearchConfig") -> None:
    """See that there are channels for each stage and width, which the pictures have no say in."""
    rows, stages = config.network.channels, len(config.space.nodes)
    if any(len(row) != stages for row in rows):
        asked = ", ".join(str(len(row)) for row in rows[:5])
        raise ValueError(f"network.channels: for {asked} stages, and space.nodes has {stages}")
    if len(rows) < config.space.widths:
        raise ValueError(
            f"network.channels: {len(rows)} rows, and space.widths asks for {config.space.widths}"
        )


def _most(what: str, asked: float, most: float) -> None:
    """Refuse more than there may be; NaN is never less."""
    if not asked <= most:
        said = what if "{asked}" in what else f"{what}: {{asked}}"
        raise ValueError(f"{said.format(asked=_shown(asked))}, and {_shown(most)} is the most")


def _shown(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) and number < 10**20 else f"{number:.6g}"
