"""From a search run to a bundle: the winner, or a genome of one's own, trained in full."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coordinator.files import FileError, read_config
from coordinator.forecast.deployable import check_deployable
from coordinator.report.learned import Learned
from coordinator.search.config import SearchConfig
from coordinator.search.memory import check_training
from coordinator.search.run_folder import CONFIG, RESULT, read_result
from evolution.cost import NetworkShape
from evolution.genome import Genome, Space
from models.bundle import BundleError, prepare
from models.training import Progress as TrainingStep
from models.winner import build_bundle
from pictures.dataset import Dataset
from pictures.errors import DatasetError

__all__ = ["TrainingStep", "Winner", "chosen", "next_commands", "train_winner"]


@dataclass(frozen=True, slots=True, eq=False)
class Winner:
    """A genome that is to be trained in full, and all that it takes, checked.

    networks: how many were compared to find it; None where somebody named it.
    """

    config: SearchConfig
    genome: Genome
    dataset: Dataset
    shape: NetworkShape
    out: Path
    name: str
    networks: int | None

    @property
    def validation(self) -> int:
        """How many training pictures choose the epoch and the threshold."""
        return self.config.validating(len(self.dataset.train))


def chosen(run_dir: Path, out: Path, genome: str | None, name: str | None) -> Winner:
    """Return the best of a run, or the genome that is named instead; nothing is computed.

    Raises:
        FileError: the run folder, the genome or the bundle folder is of no use; the sentence says why.
    """
    name = out.resolve().name if name is None else name
    try:
        prepare(out, name)
    except BundleError as error:
        raise FileError(
            f"--{error}" if f"{error}".startswith("name: ") else f"--out {error}"
        ) from None
    config = read_config(run_dir / CONFIG, SearchConfig)
    result = read_result(run_dir) if genome is None else {}
    if genome is None:
        where, text = f"{run_dir / RESULT}: best.genome", result["best"]["genome"]
    else:
        where, text = "--genome", genome
    try:
        parsed = Genome.parse(text)
    except ValueError as error:
        raise FileError(f"{where}: {error}") from None
    if not config.space.contains(parsed):
        raise FileError(f"{where}: {text}: not of the run's space ({_told(config.space)})")
    try:
        dataset = config.input.load(config.dataset)
        shape = config.shape(dataset)
        check_training(parsed, shape, config.winner.batch, "winner.batch")
        check_deployable(parsed, shape, dataset.classes)
    except (ValueError, DatasetError) as error:
        raise FileError(f"{run_dir}: {error}") from None
    return Winner(config, parsed, dataset, shape, out, name, result.get("distinct_networks"))


def train_winner(
    winner: Winner, tell: Callable[[TrainingStep], None], threads: int | None = None
) -> Learned:
    """Train it by the run's ``winner`` schedule, write its bundle, and return what was learned.

    threads: torch threads; None, as many as torch takes.

    Raises:
        FileError: training diverged, or the bundle cannot be written.
    """
    try:
        trained = build_bundle(
            winner.genome,
            winner.dataset,
            winner.shape,
            winner.config.winner,
            winner.out,
            name=winner.name,
            validation=winner.validation,
            threads=threads,
            progress=tell,
        )
    except (ValueError, BundleError) as error:
        raise FileError(f"{winner.out}: {error}") from None
    return Learned(
        bundle=trained.bundle,
        genome=winner.genome,
        shape=winner.shape,
        dataset=winner.dataset,
        outcome=trained.outcome,
        validation=trained.validation,
        epoch=trained.epoch,
        epochs=winner.config.winner.epochs,
        networks=winner.networks,
        commands=next_commands(winner.out, winner.name),
    )


def next_commands(bundle: Path, name: str) -> tuple[str, ...]:
    """Return what to type to have a bundle answer a camera."""
    broker = "--broker mqtt://HOST:PORT"
    return (
        f"fog-coordinator deploy {shlex.quote(str(bundle))} --name {name} {broker}",
        f"fog-camera stream --deployment {name} --id CAMERA {broker} --source webcam:0",
        f"fog-coordinator answers {name} {broker}",
    )


def _told(space: Space) -> str:
    """Say in words which genomes a space has."""
    genes = [name for name in ("exchange", "widths") if getattr(space, name)]
    return (
        f"{space.branches} of {'|'.join(map(str, space.nodes))} nodes a stage, "
        f"{' and '.join(genes) or 'no genes beside'}"
    )
