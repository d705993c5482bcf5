"""A search with its evaluators from beginning to end, telling how far it is."""

from contextlib import AbstractContextManager
from typing import Any

from coordinator.progress import Progress
from coordinator.search.dask_pool import DaskPool
from coordinator.search.evaluation_pool import EvaluationPool
from coordinator.search.run import Step, search
from coordinator.search.run_folder import Run
from coordinator.search.scoring import Scoring
from coordinator.search.setup import evaluator
from models.measurement import Evaluator
from models.training import Progress as Epoch


def conduct(
    run: Run, scoring: Scoring, told: Progress, scheduler: str | None = None, then: str = ""
) -> dict[str, Any]:
    """Search, and return ``result.json``.

    scheduler: measure on the Dask cluster of this address instead of in processes of our own.
    then: what comes after the search, told beside how far it is.

    Raises:
        FileError, SchedulerError, ValueError, OSError: one sentence that says what is of no use.
    """

    def tell_epoch(epoch: Epoch) -> None:
        told.tell("supernet", epoch.epoch, epoch.epochs, f"loss {epoch.loss:.3f}")

    def tell(step: Step) -> None:
        best = "" if step.best is None else f", best fitness {step.best:.4f}"
        told.tell(
            "searching",
            step.scored,
            step.individuals,
            f"{step.measured} networks measured{best}" + (f", {then}" if then else ""),
            f"generation {step.generation}/{step.generations}",
        )

    evaluate = evaluator(run, scoring.shape, tell_epoch)
    with _pool(evaluate, scheduler, run.config.workers) as pool:
        return search(run, pool, scoring, tell)


def _pool(
    evaluate: Evaluator, scheduler: str | None, workers: int | None
) -> AbstractContextManager[DaskPool] | AbstractContextManager[EvaluationPool]:
    if scheduler is not None:
        return DaskPool(evaluate, scheduler)
    return EvaluationPool(evaluate, workers)
