"""The process that places: as seen from the coordinator, and what runs in it.

It is a fresh interpreter that imports what placing needs and nothing else, and ends with the
coordinator, even if that one is killed.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from broker.engine.parentage import end_with_parent
from coordinator.fog.placing import Job, Placed, carried_out
from evolution.placement.genetic import warm_up

NICENESS: Final = 5
"""Broker and coordinator run on the same machine as a rule, and they are to answer."""

COMMAND: Final = (sys.executable, "-P", "-m", "coordinator.fog.placement_process")


class ProcessDiedError(Exception):
    """The process ended, or never came up."""


class PlacementProcess:
    """A process that carries out one job after another; it is starting when this returns.

    The thread that makes it must live as long: on Linux the kernel ends the process with it.

    Raises:
        ProcessDiedError: the system does not let it begin.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._expired = False
        try:
            self._connection, theirs = Pipe()
            with theirs:
                self._process = _begun(command, theirs.fileno())
        except OSError as error:
            raise ProcessDiedError(error.strerror or str(error)) from None

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def wait_ready(self, limit_s: float) -> None:
        """Wait until its code is loaded, or compiled where it never was.

        Raises:
            ProcessDiedError: it ended, or took longer.
        """
        try:
            with self._limited(limit_s):
                self._connection.recv()
        except TimeoutError as error:
            raise ProcessDiedError(str(error)) from None

    def carry_out(self, job: Job, limit_s: float) -> Placed:
        """Have a job done.

        Raises:
            ProcessDiedError: it ended before it answered.
            TimeoutError: it took longer, and was ended.
        """
        with self._limited(limit_s):
            self._connection.send(job)
            placed = self._connection.recv()
        assert isinstance(placed, Placed)  # noqa: S101 - it sends nothing else
        return placed

    def kill(self) -> None:
        """End it at once; safe from any thread. It has nothing to put in order."""
        self._process.kill()

    def close(self) -> None:
        """End it and wait until it is gone."""
        self.kill()
        self._process.wait()
        self._connection.close()

    @contextmanager
    def _limited(self, limit_s: float) -> Iterator[None]:
        """Kill the process when this takes longer, which ends whatever waits for it here."""

        def expire() -> None:
            self._expired = True
            self.kill()

        timer = threading.Timer(limit_s, expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (EOFError, OSError) as error:
            if self._expired:
                raise TimeoutError(f"took longer than {limit_s:g} s") from None
            raise ProcessDiedError(str(error)) from None
        finally:
            timer.cancel()


def _begun(command: Sequence[str], descriptor: int) -> subprocess.Popen[bytes]:
    """Start the process; it finds the modules where this one did, and Ctrl-C is not meant for it."""
    folders = os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path)
    return subprocess.Popen(
        [*command, str(descriptor), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[descriptor],
        env={**os.environ, "PYTHONPATH": folders},
        process_group=0,
    )


def main(descriptor: int, parent: int) -> None:
    """Carry out jobs until the other end of the pipe closes."""
    end_with_parent(parent)()
    os.nice(NICENESS)
    connection = Connection(descriptor)
    warm_up()
    try:
        connection.send(None)
        while True:
            connection.send(carried_out(connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
