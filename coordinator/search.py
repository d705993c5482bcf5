"""A search run: the genetic algorithm asks, evaluators measure, a folder remembers.

``measured.jsonl`` gets a line the moment a network has been measured. Everything else follows from
it and the configuration, so a killed run resumes by running again over what is measured already,
and ends with the same files, bit for bit, as one that was never killed.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from coordinator.evaluation_pool import EvaluatorDiedError
from coordinator.files import FileError, read_json, write_json
from coordinator.search_config import SearchConfig
from evolution.cost import NetworkShape, branch_macs, parameters, total_macs
from evolution.engine import GeneticAlgorithm
from evolution.fitness import Fitness, fitness_of
from evolution.genome import Genome
from evolution.operators import GenomeOperators
from models.evaluator import Measurement, TrainingEvaluator
from pictures.dataset import load

CONFIG: Final = "config.json"
MEASURED: Final = "measured.jsonl"
INDIVIDUALS: Final = "individuals.jsonl"
RESULT: Final = "result.json"
TIMING: Final = "timing.json"


class Evaluators(Protocol):
    """What a search needs of those who measure."""

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        """Yield each network with its measurement, as they are done."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """How far a search is: individuals scored of all, networks measured, best fitness so far."""

    generation: int
    generations: int
    scored: int
    individuals: int
    measured: int
    best: float | None


class Run:
    """A run folder.

    Raises:
        FileError: it holds another configuration, or a run already and ``resume`` is not asked for.
    """

    def __init__(self, folder: Path, config: SearchConfig, *, resume: bool) -> None:
        self.folder, self.config = folder, config
        wanted = config.model_dump(mode="json")
        if (folder / CONFIG).exists():
            if not resume:
                raise FileError(f"{folder}: holds a run; --resume goes on with it")
            found = read_json(folder / CONFIG)
            for name, value in wanted.items():
                if found.get(name) != value and name != "workers":
                    raise FileError(f"{folder / CONFIG}: {name}: this run was begun with another")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / CONFIG, wanted)
        except OSError as error:
            raise FileError(f"{folder}: {error.strerror}") from None
        self.accuracy = dict(self._measured())

    def _measured(self) -> Iterator[tuple[str, float]]:
        """Return what earlier runs measured; a torn last line is cut off."""
        path = self.folder / MEASURED
        if not path.exists():
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        whole = []
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                entry = record["network"], float(record["accuracy"])
            except (ValueError, KeyError, TypeError):
                if number < len(lines):
                    raise FileError(f"{path}: line {number} cannot be read") from None
                break  # torn by a kill: it is measured again
            whole.append(line)
            yield entry
        path.write_text("".join(line + "\n" for line in whole), encoding="utf-8")

    def remember(self, network: str, accuracy: float, seconds: float) -> None:
        """Keep a measurement at once."""
        self.accuracy[network] = accuracy
        record = {"network": network, "accuracy": accuracy, "seconds": seconds}
        with (self.folder / MEASURED).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def search(
    run: Run, pool: Evaluators, shape: NetworkShape, tell: Callable[[Step], None]
) -> dict[str, Any]:
    """Run the search to its end and return ``result.json``; ``pool`` measures what is new.

    Raises:
        FileError: an evaluator process died; what was measured is kept.
    """
    config = run.config
    began = time.perf_counter()
    weights = config.weights(shape)
    algorithm = GeneticAlgorithm(GenomeOperators(config.space), config.algorithm, config.seed)
    lines: list[str] = []
    seen: set[str] = set()
    best: tuple[Genome, Fitness] | None = None
    while not algorithm.finished:
        generation = algorithm.generation
        genomes = algorithm.ask()

        step = Step(
            generation=generation,
            generations=config.algorithm.generations,
            scored=len(lines),
            individuals=config.algorithm.population * (config.algorithm.generations + 1),
            measured=len(run.accuracy),
            best=best and best[1].total,
        )
        tell(step)
        _measure(genomes, pool, run, step, tell)
        scores = [
            fitness_of(genome, run.accuracy[str(genome.canonical())], shape, weights)
            for genome in genomes
        ]
        algorithm.tell([score.total for score in scores])
        for genome, score in zip(genomes, scores, strict=True):
            seen.add(str(genome.canonical()))
            if best is None or score.total > best[1].total:
                best = genome, score
            record = {"generation": generation, "genome": str(genome)}
            lines.append(json.dumps({**record, **_terms(score)}))
    if best is None:
        raise FileError("algorithm.population: a search without individuals finds nothing")
    result = _result(best[0], best[1], shape, evaluations=len(lines), distinct=len(seen))
    individuals = "".join(line + "\n" for line in lines)
    (run.folder / INDIVIDUALS).write_text(individuals, encoding="utf-8")
    write_json(run.folder / RESULT, result)
    write_json(run.folder / TIMING, {"seconds": time.perf_counter() - began})
    return result


def _measure(
    genomes: list[Genome],
    pool: Evaluators,
    run: Run,
    step: Step,
    tell: Callable[[Step], None],
) -> None:
    """Measure those of the genomes whose network is new, each network once."""
    networks = {str(genome.canonical()) for genome in genomes} - run.accuracy.keys()
    known = len(genomes) - len(networks)
    try:
        for done, (network, measurement) in enumerate(pool.measure(sorted(networks)), 1):
            run.remember(network, measurement.accuracy, measurement.seconds)
            scored = step.scored + known + done
            tell(replace(step, scored=scored, measured=len(run.accuracy)))
    except EvaluatorDiedError as error:
        raise FileError(f"{run.folder}: {error}; --resume goes on with what is measured") from None


def _terms(score: Fitness) -> dict[str, float]:
    """Return every term of a fitness, the sum under the name ``fitness``."""
    terms = score.as_dict()
    return {"fitness": terms.pop("total"), **terms}


def _result(
    genome: Genome, score: Fitness, shape: NetworkShape, *, evaluations: int, distinct: int
) -> dict[str, Any]:
    best = {
        "genome": str(genome),
        "network": str(genome.canonical()),
        **_terms(score),
        "macs": total_macs(genome, shape),
        "branch_macs": branch_macs(genome, shape),
        "parameters": parameters(genome, shape),
    }
    return {"best": best, "evaluations": evaluations, "distinct_networks": distinct}


def prepare(config: SearchConfig) -> tuple[TrainingEvaluator, NetworkShape]:
    """Return what a search needs: the evaluator on its data, and the shape of its networks.

    Raises:
        DatasetError: there is no such data set, or it is of no use.
        ValueError: the space does not fit the data set; the sentence names the field.
    """
    dataset = load(config.dataset)
    shape = config.shape(dataset)
    needed = config.validation + (config.pictures or 2)
    if needed > len(dataset.train):
        raise ValueError(
            f"validation, pictures: {needed} pictures are needed, {dataset.name} has "
            f"{len(dataset.train)} to train on"
        )
    return (
        TrainingEvaluator(
            config.dataset, shape, config.training, config.validation, config.pictures
        ),
        shape,
    )
