"""Mosquitto as a child process, with our settings."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from socket import create_connection
from typing import Final

from broker.bus.allocator import environment_that_keeps_large_buffers
from broker.ending import Ended, ended_by_signals, held
from broker.engine.address import EngineError, reachable_host
from broker.engine.parentage import end_with_parent

_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin")
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 2.0
_CONNECT: Final = b"\x10\x0c\0\4MQTT\4\2\0\x3c\0\0"  # of MQTT 3.1.1, with no client id


class Mosquitto:
    """The Mosquitto of this machine."""

    name = "mosquitto"
    absence = "mosquitto is not on this machine; --engine embedded needs none"

    def __init__(self, settings: Path | None = None) -> None:
        self._settings = settings

    def version(self) -> str | None:
        """Return the version on this machine, or None if it is not there."""
        program = _program()
        if program is None:
            return None
        said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
        words = said.split(maxsplit=3)
        return words[2] if words[:2] == ["mosquitto", "version"] else "of unknown version"

    def run(self, host: str, port: int, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; the child does not outlive us."""
        with contextlib.suppress(Ended), ended_by_signals(late_code=0):
            self._run(host, port, ready)

    def _run(self, host: str, port: int, ready: Callable[[], None]) -> None:
        program = _program()
        if program is None:
            raise EngineError(self.absence)
        settings = (self._settings or default_settings()).read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="fog-broker-") as folder:
            conf = Path(folder, "mosquitto.conf")
            conf.write_text(f"{settings}\nlog_dest stderr\nlistener {port} {host}\n", "utf-8")
            # Mosquitto reads it as the user it becomes, and that is not us when we are root.
            Path(folder).chmod(0o755)
            conf.chmod(0o644)
            _serve([program, "-c", str(conf)], host, port, ready)


def default_settings() -> Path:
    """Return our ``mosquitto.conf``: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parents[1]
    packaged = here / "mosquitto.conf"
    return packaged if packaged.exists() else here.parent / "mosquitto.conf"


def _serve(command: list[str], host: str, port: int, ready: Callable[[], None]) -> None:
    user, group = _unprivileged_user(port)
    said: _Log | None = None
    try:
        with held():
            said = _Log(
                subprocess.Popen(
                    command,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    env=environment_that_keeps_large_buffers(),
                    user=user,
                    group=group,
                    extra_groups=None if user is None else [],
                    preexec_fn=end_with_parent(),  # noqa: PLW1509 - the only other thread waits for signals
                )
            )
        _await_answer(host, port, said)
        ready()
        said.child.wait()
        raise EngineError(f"mosquitto ended: {said.last()}")
    finally:
        if said is not None:
            said.finish()
            _end(said.child)


def _end(child: "subprocess.Popen[str]") -> None:
    for _ in range(int(_STOP_SECONDS / 0.1)):
        child.terminate()  # again and again: it forgets one that comes before its main loop runs
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
            return
    child.kill()
    child.wait()


class _Log:
    """What the child says: passed on while it serves, and the last line explains its end."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self.child = child
        self._lines: deque[str] = deque(maxlen=5)
        self._pass_on = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Pass on what is said from now on: that messages are dropped, for one."""
        self._pass_on = True

    def finish(self) -> None:
        """Pass on nothing more: the child's end is wanted."""
        self._pass_on = False

    def ended(self, seconds: float) -> bool:
        """Return whether the child ends within ``seconds``."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def last(self) -> str:
        """Return the last thing said."""
        self._thread.join(1.0)
        return self._lines[-1] if self._lines else "it said nothing"

    def _read(self) -> None:
        for line in self.child.stderr or ():
            text = line.strip().partition(": ")[2] or line.strip()  # without the timestamp
            self._lines.append(text)
            if self._pass_on:
                sys.stderr.write(f"mosquitto: {text}\n")


def _program() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_PLACES))


def _unprivileged_user(port: int) -> tuple[int, int] | tuple[None, None]:
    """Return who Mosquitto is to be when we are root and the port does not need it.

    It would become that user by itself, but then the kernel forgets that it is to end with us.
    """
    if os.geteuid() != 0 or port < 1024:
        return None, None
    for name in ("mosquitto", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    return None, None


def _await_answer(host: str, port: int, said: _Log) -> None:
    """Return once Mosquitto answers a client.

    To be connected is not enough: it forgets a SIGTERM that comes before its main loop runs.
    """
    address = reachable_host(host)
    for _ in range(int(_START_SECONDS / 0.02)):
        with contextlib.suppress(OSError), create_connection((address, port), 1.0) as client:
            client.sendall(_CONNECT)
            if client.recv(1):
                said.begin()
                return
        if said.ended(0.02):
            raise EngineError(f"mosquitto did not start: {said.last()}")
    raise EngineError(f"mosquitto did not answer on port {port} in {_START_SECONDS:g} s")
