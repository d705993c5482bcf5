"""Processes that play parts: killed, frozen and started again by the part's name."""

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.chaos.records import Ending
from coordinator.demo.processes import Processes

COORDINATOR: Final = "coordinator"
START_S: Final = 30.0
_POLL_S: Final = 0.02
_READY: Final = re.compile("ready|serves")


class StageError(Exception):
    """The scene did not come about, in one sentence."""


class Parts:
    """Who plays what. ``gone`` are the parts that cannot do their work: dead, frozen or cut off."""

    def __init__(self, folder: Path) -> None:
        self.gone: set[str] = set()
        self._folder = folder
        self._processes = Processes(folder)
        self._now: dict[str, str] = {}  # the process that plays a part
        self._kinds: dict[str, str] = {}  # by process
        self._starts: Counter[str] = Counter()
        self._asked: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end_all()
        self._processes.__exit__(kind, error, trace)

    def run(self, part: str, kind: str, command: str, *arguments: str) -> str:
        """Have a process play a part, for the first time or again; return the process's name."""
        self._starts[part] += 1
        count = self._starts[part]
        process = part if count == 1 else f"{part}-start-{count}"
        self._processes.start(process, command, *arguments)
        self._now[part], self._kinds[process] = process, kind
        self.gone.discard(part)
        return process

    def wait_ready(self, part: str) -> None:
        """Return once a part says that it is.

        Raises:
            StageError: it ended, or did not say so in time.
        """
        process = self._now[part]

        def ready() -> bool:
            if self._processes.code(process) is not None:
                raise StageError(f"{process} ended: {self._processes.last_words(process)}")
            return bool(_READY.search(self._processes.output(process)))

        wait_until(ready, part)

    def pid(self, part: str) -> int:
        """Return the id of the process that plays a part."""
        return self._processes.pid(self._now[part])

    def code(self, part: str) -> int | None:
        """Return the exit code of the process that plays a part, None while it runs."""
        return self._processes.code(self._now[part])

    def pids(self) -> dict[str, int]:
        """Return the ids of all processes that run now, by name."""
        names = [name for name in self._kinds if self._processes.code(name) is None]
        return {name: self._processes.pid(name) for name in names}

    def output(self, process: str) -> str:
        """Return what a process printed."""
        return self._processes.output(process)

    def output_of(self, part: str) -> str:
        """Return what the process that plays a part printed."""
        return self._processes.output(self._now[part])

    def wait(self, process: str, timeout_s: float) -> int | None:
        """Return a process's exit code, None if it runs on."""
        return self._processes.wait(process, timeout_s)

    def asked(self, part: str) -> None:
        """Take note that the end of a part's process is our doing."""
        self._asked.add(self._now[part])

    def kill(self, *parts: str) -> None:
        """Kill parts as a power cut would."""
        for part in parts:
            self.asked(part)
            self.gone.add(part)
            self._processes.kill(self._now[part])

    def end(self, *processes: str) -> None:
        """Ask processes to end, and wait for it."""
        self._asked |= set(processes)
        self._processes.end(processes)

    def freeze(self, part: str) -> None:
        """Suspend a part: it keeps its connections and does nothing."""
        self.gone.add(part)
        self._processes.freeze(self._now[part])

    def thaw(self, part: str) -> None:
        """Let a frozen part go on."""
        self._processes.thaw(self._now[part])
        self.gone.discard(part)

    def end_all(self) -> None:
        """Ask all that run to end, the broker last: the others want to say goodbye."""
        for brokers in (False, True):
            self.end(
                *(
                    process
                    for process, kind in self._kinds.items()
                    if (kind == "broker") is brokers and self._processes.code(process) is None
                )
            )

    def endings(self) -> list[Ending]:
        """Return how every process ended, once all have."""
        return [
            Ending(
                kind=kind,
                code=code,
                expected=process in self._asked or (kind == "camera" and code == 0),
                traceback="Traceback (most recent call last)" in self._processes.log(process),
                words=self._processes.last_words(process).replace(f"{self._folder}/", ""),
            )
            for process, kind in self._kinds.items()
            if (code := self._processes.code(process)) is not None
        ]


def wait_until(there: Callable[[], bool], what: str, patience_s: float = START_S) -> None:
    """Return once ``there`` says so.

    Raises:
        StageError: it did not within ``patience_s``.
    """
    until = time.monotonic() + patience_s
    while not there():
        if time.monotonic() > until:
            raise StageError(f"{what} did not come within {patience_s:g} s")
        time.sleep(_POLL_S)
