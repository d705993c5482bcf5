"""A fog of real processes: the coordinator, the fog nodes, the cameras; they all end with it."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from broker.ending import held

_FAREWELL_S: Final = 2.0  # for all of them together


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
        self.end(list(self._running))
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
                start_new_session=True,  # Ctrl-C is for whoever started us, who then ends them
            )

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would: SIGKILL, no word to anybody."""
        self._running[name].kill()
        self._running[name].wait()

    def freeze(self, name: str) -> None:
        """Suspend a process (SIGSTOP): it keeps its connections and does nothing."""
        self._running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        self._running[name].send_signal(signal.SIGCONT)

    def end(self, names: Sequence[str], patience_s: float = _FAREWELL_S) -> None:
        """Ask processes to end (SIGTERM), all at once; kill those that have not after ``patience_s``."""
        for name in names:
            self._running[name].terminate()
            self.thaw(name)  # a frozen one hears nothing else
        until = time.monotonic() + patience_s
        for name in names:
            try:
                self._running[name].wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.kill(name)

    def pid(self, name: str) -> int:
        """Return a process's id."""
        return self._running[name].pid

    def code(self, name: str) -> int | None:
        """Return the exit code (minus the signal's number if one ended it), None while it runs."""
        return self._running[name].poll()

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

    def log(self, name: str) -> str:
        """Return what a process logged."""
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def last_words(self, name: str) -> str:
        """Return the last line of a process's log."""
        lines = [line for line in self.log(name).splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"
