"""Layouts found in a process of their own, so that the loop that answers never waits for one."""

import logging
import threading
from collections.abc import Sequence
from typing import Final

from coordinator.fog.layout import Layout
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.placement_process import COMMAND, PlacementProcess, ProcessDiedError
from coordinator.fog.placing import Deliver, Job, Placed, PlacingQueue, carried_out

_log = logging.getLogger("fog-coordinator")

LIMIT_S: Final = 60.0
"""A request that takes longer is answered with a reason."""
START_LIMIT_S: Final = 180.0
"""So long may a process compile, on a slow machine that never did."""
_END_S: Final = 0.8


class Placer:
    """A process that places, started with the first request (or by :meth:`start`) and again when it dies.

    One request is in work at a time; the others wait, one a key, the newest.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        limit_s: float = LIMIT_S,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._deliver, self._limit_s, self._command = deliver, limit_s, command
        self._queue = PlacingQueue()
        self._changed = threading.Condition()  # guards all below
        self._closed = False
        self._process: PlacementProcess | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Have the process load its code now, without waiting for it."""
        with self._changed:
            self._begin()

    def submit(self, key: str, request: LayoutRequest, present: Layout | None = None) -> int:
        """Ask for a layout; see :class:`coordinator.fog.placing.Placing`."""
        with self._changed:
            number = self._queue.submit(key, request, present)
            self._begin()
            self._changed.notify()
            return number

    def close(self) -> None:
        """Answer nothing more, and end the process; within a second."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            if self._process is not None:
                self._process.kill()
            thread = self._thread
        if thread is not None:
            thread.join(_END_S)

    def _begin(self) -> None:
        if self._thread is None and not self._closed:
            # The process ends with this thread, so all of them are made here.
            self._thread = threading.Thread(target=self._run, name="placer", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            self._start_early()
            while (job := self._next()) is not None:
                self._work_on(job)
        finally:
            self._end_process()

    def _start_early(self) -> None:
        try:
            self._ready_process()
        except ProcessDiedError:
            self._end_process()  # the first job tries again, and says so when that fails too

    def _next(self) -> Job | None:
        """Wait for a job; None when there will be none any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._queue.next() is not None)
            return None if self._closed else self._queue.next()

    def _work_on(self, job: Job) -> None:
        answer: Placed | None
        try:
            answer = self._ready_process().carry_out(job, self._limit_s)
        except TimeoutError as error:
            self._end_process()
            answer = Placed(job.key, job.number, None, f"the placement {error}")
        except ProcessDiedError as error:
            self._end_process()
            with self._changed:
                answer = self._queue.died()
                closed = self._closed
            if not closed:
                _log.warning("the process that places died: %s", error or "no reason given")
        if answer is None:
            return
        with self._changed:
            self._queue.answered()
            if self._closed:
                return
        self._deliver(answer)

    def _ready_process(self) -> PlacementProcess:
        """Return the process once it can work; a new one if the last one ended meanwhile."""
        if self._process is not None and self._process.alive:
            return self._process
        self._end_process()
        process = PlacementProcess(self._command)
        with self._changed:
            self._process = process
            if self._closed:
                process.kill()
        process.wait_ready(START_LIMIT_S)
        return process

    def _end_process(self) -> None:
        with self._changed:
            process, self._process = self._process, None
        if process is not None:
            process.close()


class DirectPlacer:
    """A placer that finds layouts where it is asked, before :meth:`submit` returns; for tests."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._queue = PlacingQueue()
        self._closed = False

    def start(self) -> None:
        """Need nothing beforehand."""

    def submit(self, key: str, request: LayoutRequest, present: Layout | None = None) -> int:
        """Find a layout and deliver it."""
        number = self._queue.submit(key, request, present)
        job = self._queue.next()
        self._queue.answered()
        if job is not None and not self._closed:
            self._deliver(carried_out(job))
        return number

    def close(self) -> None:
        """Answer nothing more."""
        self._closed = True
