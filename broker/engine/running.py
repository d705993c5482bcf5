"""A broker as a process of its own, for the demo, the tests and the benchmarks."""

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.ending import held
from broker.engine.address import EngineError

_READY: Final = re.compile(r"broker ready: (?P<engine>\S+) (?P<version>.+) at (?P<url>\S+)")
_START_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """Where it is reached, and what it is."""

    url: str
    engine: str
    version: str
    pid: int


@contextlib.contextmanager
def running_broker(
    engine: str = "auto",
    host: str = "127.0.0.1",
    port: int = 0,
    conf: Path | None = None,
) -> Iterator[RunningBroker]:
    """Run an open broker, ``fog-broker run``, as a process for as long as the context lasts.

    Raises:
        EngineError: it did not come up; the sentence is its own.
    """
    arguments = ["--engine", engine, "--host", host, "--port", str(port)]
    if conf is not None:
        arguments += ["--conf", str(conf)]
    with _running(arguments) as broker:
        yield broker


@contextlib.contextmanager
def running_closed_broker(folder: Path, host: str = "127.0.0.1") -> Iterator[RunningBroker]:
    """Run the broker of a closed fog, ``fog-broker run --dir``, for as long as the context lasts.

    Raises:
        EngineError: it did not come up; the sentence is its own.
    """
    with _running(["--dir", str(folder), "--host", host]) as broker:
        yield broker


@contextlib.contextmanager
def _running(arguments: list[str]) -> Iterator[RunningBroker]:
    command = [sys.executable, "-m", "broker.commands", "run", "--with-parent", *arguments]
    process: subprocess.Popen[str] | None = None
    output: _Output | None = None
    try:
        with held():
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={**os.environ, "PYTHONPATH": _python_path()},
                start_new_session=True,  # Ctrl-C is for the one who started us, who then ends it
            )
            output = _Output(process)
        yield output.ready()
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if output is not None:
            output.close()


class _Output:
    """Reads what the process says on threads of their own, so that it never blocks."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._known = threading.Event()
        self._running: RunningBroker | None = None
        self._complaints: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_complaints, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def ready(self) -> RunningBroker:
        """Return the broker once its ready line has come."""
        if not self._known.wait(_START_SECONDS):
            raise EngineError(f"fog-broker was not ready after {_START_SECONDS:g} s")
        if self._running is None:
            self._threads[1].join(1.0)
            last = self._complaints[-1] if self._complaints else "it said nothing"
            raise EngineError(last.removeprefix("error: "))
        return self._running

    def close(self) -> None:
        """Give the pipes back, once the process has ended."""
        for thread in self._threads:
            thread.join(1.0)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_output(self) -> None:
        for line in self._process.stdout or ():
            found = _READY.match(line)
            if found:
                self._running = RunningBroker(**found.groupdict(), pid=self._process.pid)
                self._known.set()
        self._known.set()

    def _read_complaints(self) -> None:
        for line in self._process.stderr or ():
            self._complaints = [*self._complaints, line.strip()][-20:]


def _python_path() -> str:
    """Return a PYTHONPATH on which the process finds the package that we are."""
    here = str(Path(__file__).parents[2])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
