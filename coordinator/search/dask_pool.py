"""Evaluators on a Dask cluster: the same as the local pool, on the processes of other machines.

Every machine needs the same version of this project and the data set by the same name; the weights
of a supernet travel with the evaluator. Dask measures again what a lost process was measuring.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any, Final, Self

from coordinator.search.evaluation_pool import Chunks, EvaluatorDiedError, measured
from models.measurement import Evaluator, Measurement

PATIENCE_S: Final = 10.0  # for the scheduler to answer


class SchedulerError(Exception):
    """There is no Dask cluster to use; one sentence that says why."""


class DaskPool:
    """All processes of the Dask cluster whose scheduler is at ``address``.

    Raises:
        SchedulerError: the scheduler does not answer in time or has no process, or Dask is not installed.
    """

    def __init__(self, evaluate: Evaluator, address: str, patience_s: float = PATIENCE_S) -> None:
        try:
            self._client = _connected(address, patience_s)
        except ImportError:
            raise SchedulerError(
                "--scheduler needs the package distributed: pip install 'fogweave[cluster]'"
            ) from None
        except (OSError, ValueError) as error:
            reason = next(iter(str(error).splitlines()), "") or "no answer"
            raise SchedulerError(f"{address}: no Dask cluster there ({reason})") from None
        self._address = address
        self._evaluate = evaluate
        self._chunks = Chunks(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def measure(self, networks: list[str]) -> Iterator[tuple[str, Measurement]]:
        """Yield each network with its measurement, as they are done; raises as `EvaluationPool.measure`."""
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        if not networks:
            return
        # The evaluator goes to each process once, and Dask can make it again when one is lost.
        evaluator = self._client.submit(_same, self._evaluate, pure=False)
        futures = {
            self._client.submit(_measure, evaluator, chunk, pure=False): chunk
            for chunk in self._chunks.of(networks)
        }
        try:
            for future in as_completed(futures, loop=self._client.loop):  # type: ignore[no-untyped-call]
                yield from self._chunks.done(futures[future], future.result())
        except KilledWorker:
            raise EvaluatorDiedError("evaluator processes died again and again") from None
        except CancelledError:
            raise EvaluatorDiedError(f"{self._address}: the Dask scheduler is gone") from None


def _connected(address: str, patience_s: float) -> Any:
    """Return a client of a scheduler that answers and has at least one process."""
    from distributed import Client

    asyncio.run(_knock(address, patience_s))
    client = Client(address, timeout=patience_s, set_as_default=False)  # type: ignore[no-untyped-call]
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except OSError:
        client.close()  # type: ignore[no-untyped-call]
        raise
    return client


async def _knock(address: str, patience_s: float) -> None:
    """Greet the scheduler; a client of Dask would wait for ever for one that only listens."""
    from distributed.comm import connect  # type: ignore[attr-defined]

    comm = await asyncio.wait_for(connect(address, timeout=patience_s), patience_s)  # type: ignore[no-untyped-call]
    await comm.close()


_one_at_a_time = threading.Lock()  # weights begin from torch's one random state


def _same(evaluator: Evaluator) -> Evaluator:
    return evaluator


def _measure(evaluator: Evaluator, networks: list[str]) -> list[Measurement]:
    with _one_at_a_time:
        return measured(evaluator, networks)
