"""Evaluator processes of a search, started when the first network has to be measured."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Self

import psutil

from evolution.genome import Genome
from models.evaluator import Measurement, TrainingEvaluator


class EvaluatorDiedError(Exception):
    """An evaluator process died."""


class EvaluationPool:
    """As many processes as ``workers`` (default: the cores); each has the evaluator, and one thread."""

    def __init__(self, evaluate: TrainingEvaluator, workers: int | None) -> None:
        self._evaluate = evaluate
        self._workers = workers or psutil.cpu_count() or 1
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        """Yield each network with its measurement, as they are done.

        Raises:
            EvaluatorDiedError: a process was killed; what was yielded stands.
        """
        if not networks:
            return
        if self._executor is None:
            # Spawned, not forked: torch's threads do not survive a fork.
            self._executor = ProcessPoolExecutor(
                self._workers,
                get_context("spawn"),
                initializer=_begin,
                initargs=(self._evaluate,),
            )
        try:
            futures = {self._executor.submit(_measure, network): network for network in networks}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise EvaluatorDiedError("an evaluator process died") from None


_evaluator: TrainingEvaluator | None = None


def _begin(evaluator: TrainingEvaluator) -> None:
    """Take the evaluator once per process: the pictures need not be sent with every network."""
    global _evaluator  # noqa: PLW0603 - a process pool has no other place for what a worker keeps
    _evaluator = evaluator


def _measure(network: str) -> Measurement:
    assert _evaluator is not None  # noqa: S101 - the initializer ran
    return _evaluator(Genome.parse(network))
