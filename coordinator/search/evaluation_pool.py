"""Evaluator processes of a search, started when the first network has to be measured.

They end with the search, however it ends: each holds one end of a pipe, and when the other end
closes, with the search's process or by its hand, the kernel tells them.
"""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Final, Self

import psutil

from broker.ending import NUMBERS, held
from evolution.genome import Genome
from models.measurement import Evaluator, Measurement
from pictures.errors import DatasetError

CHUNK_SECONDS: Final = 0.2  # what is sent at once takes about so long: the sending must not count
_AWAKE_S: Final = 0.5
CHUNKS_EACH: Final = 4  # but each process gets so many, so that none waits long for another


class EvaluatorDiedError(Exception):
    """An evaluator process died, or failed in a way that no evaluator should."""


class EvaluationPool:
    """As many processes as ``workers`` (default: the cores); each has the evaluator, and one thread."""

    def __init__(self, evaluate: Evaluator, workers: int | None) -> None:
        self._evaluate = evaluate
        self._workers = workers or psutil.cpu_count() or 1
        self._chunks = Chunks(self._workers)
        self._executor: ProcessPoolExecutor | None = None
        self._context = _Processes()
        self._theirs, self._ours = self._context.Pipe(duplex=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._theirs.close()
        if self._executor is not None:
            # Nobody waits for what is being measured, nor for what is being imported, and nothing is
            # lost by it: an evaluator writes no file.
            for process in self._context.started:
                if process.pid is not None:
                    process.kill()
            self._executor.shutdown(cancel_futures=True)

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        """Yield each network with its measurement, as they are done.

        Raises:
            EvaluatorDiedError: a process was killed, or failed; what was yielded stands.
            ValueError: the evaluator refuses a network; what was yielded stands.
            DatasetError: the evaluator cannot read its pictures.
        """
        if not networks:
            return
        try:
            futures = {self._submit(chunk): chunk for chunk in self._chunks.of(networks)}
            waiting = set(futures)
            while waiting:
                # Not for ever: a signal that came to another thread is heard when this one wakes.
                done, waiting = wait(waiting, _AWAKE_S, FIRST_COMPLETED)
                for future in done:
                    yield from self._chunks.done(futures[future], future.result())
        except BrokenProcessPool:
            raise EvaluatorDiedError("an evaluator process died") from None

    def _submit(self, networks: list[str]) -> "Future[list[Measurement]]":
        """Have a process measure networks, and start one if none is idle and there may be more."""
        with held():
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    self._workers,
                    self._context,
                    initializer=_begin,
                    initargs=(self._evaluate, self._theirs),
                )
            with _deaf_to_signals():
                return self._executor.submit(_measure, networks)


class _Processes(SpawnContext):
    """Starts processes and knows them; spawned, not forked: torch's threads do not survive a fork."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        """Return a process that is about to be started."""
        process = SpawnProcess(*arguments, **named)
        self.started.append(process)
        return process


@contextmanager
def _deaf_to_signals() -> Iterator[None]:
    """Have processes that are started in this context not hear what ends the search, not even early on.

    A terminal and a service send their signals to all processes; these are ended by the search. The
    signal waits here meanwhile, or comes to another thread, and this one hears of it when it wakes.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Chunks:
    """How many networks are sent at once: as many as the last measurements say are soon done."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._seconds = CHUNK_SECONDS  # of one network; at first one is sent at a time

    def of(self, networks: list[str]) -> Iterator[list[str]]:
        """Divide networks into chunks."""
        fair = len(networks) // (CHUNKS_EACH * self._processes)
        size = max(1, min(fair, int(CHUNK_SECONDS / max(self._seconds, 1e-6))))
        for start in range(0, len(networks), size):
            yield networks[start : start + size]

    def done(
        self, chunk: list[str], measurements: list[Measurement]
    ) -> Iterator[tuple[str, Measurement]]:
        """Pair a chunk with its measurements, and remember how long they took."""
        self._seconds = sum(found.seconds for found in measurements) / len(measurements)
        return zip(chunk, measurements, strict=True)


def measured(evaluate: Evaluator, networks: list[str]) -> list[Measurement]:
    """Measure some networks, here; raises as `EvaluationPool.measure` says."""
    try:
        return [evaluate(Genome.parse(network)) for network in networks]
    except (ValueError, DatasetError):
        raise
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise EvaluatorDiedError(
            f"an evaluator failed: {type(error).__name__}: {reason}"
        ) from error


_evaluator: Evaluator | None = None


def _begin(evaluator: Evaluator, life_line: Connection) -> None:
    """Take the evaluator once per process: the pictures need not be sent with every network."""
    global _evaluator  # noqa: PLW0603 - a process pool has no other place for what a worker keeps
    _evaluator = evaluator
    threading.Thread(target=_end_with_the_search, args=(life_line,), daemon=True).start()


def _end_with_the_search(life_line: Connection) -> None:
    life_line.poll(None)  # nothing is ever sent: this ends when the other end is closed
    os._exit(1)


def _measure(networks: list[str]) -> list[Measurement]:
    assert _evaluator is not None  # noqa: S101 - the initializer ran
    return measured(_evaluator, networks)
