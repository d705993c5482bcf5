"""From a search run to a bundle: the winner, or a genome of one's own, trained in full."""

from collections.abc import Callable
from pathlib import Path

from coordinator.files import FileError, read_config
from coordinator.search.config import SearchConfig
from coordinator.search.memory import check_training
from coordinator.search.run_folder import CONFIG, RESULT, read_result
from evolution.genome import Genome, Space
from models.bundle import Bundle, BundleError, prepare
from models.training import Progress as TrainingStep
from models.winner import build_bundle
from pictures.dataset import load
from pictures.errors import DatasetError

__all__ = ["TrainingStep", "train_winner"]


def train_winner(
    run_dir: Path,
    out: Path,
    genome: str | None,
    name: str | None,
    tell: Callable[[TrainingStep], None],
) -> Bundle:
    """Train a genome by the run's ``winner`` schedule and write its bundle.

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
    if genome is None:
        where, text = f"{run_dir / RESULT}: best.genome", read_result(run_dir)["best"]["genome"]
    else:
        where, text = "--genome", genome
    try:
        parsed = Genome.parse(text)
    except ValueError as error:
        raise FileError(f"{where}: {error}") from None
    if not config.space.contains(parsed):
        raise FileError(f"{where}: {text}: not of the run's space ({_told(config.space)})")
    try:
        dataset = load(config.dataset)
        shape = config.shape(dataset)
        check_training(parsed, shape, config.winner.batch, "winner.batch")
        return build_bundle(
            parsed,
            dataset,
            shape,
            config.winner,
            out,
            name=name,
            progress=tell,
        )
    except (ValueError, DatasetError, BundleError) as error:
        raise FileError(f"{run_dir}: {error}") from None


def _told(space: Space) -> str:
    """Say in words which genomes a space has."""
    genes = [name for name in ("exchange", "widths") if getattr(space, name)]
    return (
        f"{space.branches} of {'|'.join(map(str, space.nodes))} nodes a stage, "
        f"{' and '.join(genes) or 'no genes beside'}"
    )
