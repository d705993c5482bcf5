"""A search run: the genetic algorithm asks, evaluators measure, a folder remembers.

Everything follows from the configuration and what has been measured, so a killed run resumes by
running again over what is measured already, and ends with the same files, bit for bit, as one that
was never killed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from coordinator.files import FileError
from coordinator.search.config import SearchConfig
from coordinator.search.evaluation_pool import EvaluatorDiedError
from coordinator.search.run_folder import Run
from coordinator.search.scoring import Scored, Scoring
from evolution.engine import GeneticAlgorithm
from evolution.genome import Genome
from evolution.operators import GenomeOperators, tournament
from evolution.pareto import ParetoSurvival, front
from evolution.screening import Screening, best_networks
from evolution.traits import traits
from models.measurement import Measurement
from pictures.errors import DatasetError

_OF_THE_FRONT: Final = (
    "genome", "network", "accuracy", "heaviest_macs", "exchanged_bytes", "macs", "parameters", "response_s",
)  # fmt: skip


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


def search(
    run: Run, pool: Evaluators, scoring: Scoring, tell: Callable[[Step], None]
) -> dict[str, Any]:
    """Run the search to its end and return ``result.json``; ``pool`` measures what is new.

    Raises:
        FileError: an evaluator died or could not measure; what was measured is kept.
    """
    config = run.config
    began = time.perf_counter()
    scores: dict[str, Scored] = {}  # by genome: isomorphic ones have scores of their own
    screening = _screening(config, scoring)
    algorithm = _algorithm(config, screening, scores)
    individuals: list[Scored] = []
    best: Scored | None = None
    run.begin()
    while not algorithm.finished:
        generation = algorithm.generation
        genomes = algorithm.ask()
        step = Step(
            generation=generation,
            generations=config.algorithm.generations,
            scored=len(individuals),
            individuals=config.algorithm.population * (config.algorithm.generations + 1),
            measured=len(run.accuracy),
            best=best.fitness.total if best else None,
        )
        tell(step)
        _measure(genomes, pool, run, step, tell)
        told = [scoring(genome, run.accuracy[str(genome.canonical())]) for genome in genomes]
        scores.update({str(scored.genome): scored for scored in told})
        fitness = [scored.fitness.total for scored in told]
        algorithm.tell(fitness)
        if screening:
            screening.learn(genomes, fitness)
        individuals += told
        best = max([*([best] if best else []), *told], key=lambda scored: scored.fitness.total)
        run.keep_generation(
            [{"generation": generation, **scored.record()} for scored in told], algorithm.state()
        )
    if best is None:
        raise FileError("algorithm.population: a search without individuals finds nothing")
    result: dict[str, Any] = {
        "best": {**best.record(), "branch_macs": list(best.branch_macs)},
        "evaluations": len(individuals),
        "distinct_networks": len({scored.network for scored in individuals}),
    }
    if config.mode == "pareto":
        result["front"] = _front(individuals)
    run.finish(result, time.perf_counter() - began)
    return result


def _screening(config: SearchConfig, scoring: Scoring) -> Screening | None:
    """Return the screening that the configuration asks for: what costs of a genome is known."""
    if config.screening == 1:
        return None
    return Screening(
        GenomeOperators(config.space),
        config.screening,
        known=lambda genome: scoring(genome, 0.0).fitness.total,
        traits=lambda genome: traits(genome, scoring.shape),
    )


def _algorithm(
    config: SearchConfig, screening: Screening | None, scores: dict[str, Scored]
) -> GeneticAlgorithm[Genome]:
    """Return the genetic algorithm of the mode; ``scores`` will hold whatever it has been told of."""
    if screening:
        return GeneticAlgorithm(
            screening,
            config.algorithm,
            config.seed,
            selection=tournament,
            survival=best_networks,
        )
    operators = GenomeOperators(config.space)
    if config.mode == "weighted":
        return GeneticAlgorithm(operators, config.algorithm, config.seed)
    return GeneticAlgorithm(
        operators,
        config.algorithm,
        config.seed,
        selection=tournament,
        survival=ParetoSurvival(
            lambda genome: scores[str(genome)].objectives, lambda genome: genome.canonical()
        ),
    )


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
    except (EvaluatorDiedError, DatasetError, ValueError) as error:
        raise FileError(f"{run.folder}: {error}; --resume goes on with what is measured") from None


def _front(individuals: Sequence[Scored]) -> list[dict[str, Any]]:
    """Return the networks that no other dominates, each once, the most accurate first."""
    distinct: dict[str, Scored] = {}
    for scored in individuals:
        distinct.setdefault(scored.network, scored)
    candidates = list(distinct.values())
    kept = [candidates[index] for index in front([each.objectives for each in candidates])]
    kept.sort(key=lambda scored: (scored.objectives, scored.network))
    records = [scored.record() for scored in kept]
    return [{name: record[name] for name in _OF_THE_FRONT if name in record} for record in records]
