"""Runs partitions, each kind on a thread of its own: branches one at a time, and fusions beside them."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fog_node.events import Event, Overran, Ran, RunFailed
from fog_node.loader import Loader
from fog_node.partition_run import PartitionRun
from fog_node.quarantine import Quarantine
from fog_node.runtime import RuntimeFailureError
from fog_node.watchdog import Watchdog, Watched

_log = logging.getLogger("fog-node")

_LEAST_LIMIT_S: Final = 1.0
_MOST_TIMES: Final = 20.0
"""A run may take so many times what it was measured to take, in processor time."""


class Runner:
    """Each run is watched; one that does not end is told of apart, for its partition is given up."""

    def __init__(
        self,
        loader: Loader,
        watchdog: Watchdog,
        quarantine: Quarantine,
        tell: Callable[[Event], None],
    ) -> None:
        self._loader, self._watchdog, self._quarantine = loader, watchdog, quarantine
        self._tell = tell
        self._branches = ThreadPoolExecutor(1, "runner")
        self._fusions = ThreadPoolExecutor(1, "fusion")
        self._failure = ""

    def submit(self, run: PartitionRun) -> None:
        """Run a partition when its thread is free: Ran, RunFailed or Overran answers."""
        thread = self._branches if run.partition.fusion is None else self._fusions
        thread.submit(self._run, run)

    def shutdown(self) -> None:
        """Begin nothing more; what runs cannot be waited for."""
        self._branches.shutdown(wait=False, cancel_futures=True)
        self._fusions.shutdown(wait=False, cancel_futures=True)

    def _run(self, run: PartitionRun) -> None:
        sha256 = run.partition.sha256
        session = self._loader.sessions.get(sha256)
        if session is None:
            self._tell(RunFailed(run, "its session is gone"))
            return
        usual_s = self._loader.seconds.get(sha256, 0.0)
        limit_s = max(_LEAST_LIMIT_S, _MOST_TIMES * usual_s)
        watched = Watched(f"a run of partition {run.partition.id}", sha256, limit_s)
        start = time.perf_counter()
        try:
            with self._watchdog.over(watched):
                outputs = session.run(run.inputs, watched)
        except RuntimeFailureError as error:
            if watched.reason:
                reason = f"a run {watched.reason}"
                self._quarantine.condemn(sha256, reason)
                _log.warning("partition %s: %s; given up", run.partition.id, reason)
                self._tell(Overran(run, reason))
                return
            if str(error) != self._failure:  # said once, counted always
                _log.warning("partition %s failed to run: %s", run.partition.id, error)
            self._failure = str(error)
            self._tell(RunFailed(run, str(error)))
            return
        self._tell(Ran(run, outputs, time.perf_counter() - start))
