"""The demo's fog: processes of its own for the coordinator, the fog nodes and the cameras."""

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from broker.ending import held

_FAREWELL_S: Final = 1.0  # for all of them together


class Processes:
    """Commands of this installation as processes; their logs lie in one folder; all end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            process.terminate()
        until = time.monotonic() + _FAREWELL_S
        for process in self._running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for log in self._logs:
            log.close()

    def start(self, name: str, command: str, *arguments: str) -> None:
        """Start one of Fogweave's commands; what it prints goes to ``<name>.out`` and ``<name>.log``."""
        program = Path(sys.executable).with_name(command)
        out, log = (self._folder / f"{name}{end}" for end in (".out", ".log"))
        self._logs += [out.open("wb"), log.open("wb")]
        with held():
            self._running[name] = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=self._logs[-2],
                stderr=self._logs[-1],
                start_new_session=True,  # Ctrl-C is for the demo, which then ends them
            )

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would: SIGKILL, no word to anybody."""
        self._running[name].kill()
        self._running[name].wait()

    def wait(self, name: str, timeout_s: float) -> int | None:
        """Return the exit code, or None if it runs on after ``timeout_s`` seconds."""
        try:
            return self._running[name].wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def died(self) -> list[str]:
        """Return the names of those that ended by themselves with an error."""
        return [name for name, process in self._running.items() if process.poll()]

    def output(self, name: str) -> str:
        """Return what a process printed."""
        return (self._folder / f"{name}.out").read_text(encoding="utf-8", errors="replace")

    def last_words(self, name: str) -> str:
        """Return the last line of a process's log."""
        text = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"
