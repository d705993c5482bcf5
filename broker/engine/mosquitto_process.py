"""Mosquitto as a child process: started, awaited, kept up to date, and ended with us."""

import contextlib
import os
import pwd
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import Final

from broker.bus.allocator import environment_that_keeps_large_buffers
from broker.ending import Ended, ended_by_signals, held
from broker.engine.address import EngineError, reachable_host
from broker.engine.listener import Listener
from broker.engine.parentage import end_with_parent

_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 2.0
_REFRESH_SECONDS: Final = 600.0
_CONNECT: Final = b"\x10\x0c\0\4MQTT\4\2\0\x3c\0\0"  # of MQTT 3.1.1, with no client id


@dataclass(frozen=True, slots=True)
class Setup:
    """What Mosquitto is to be started with.

    ``folder`` becomes its working folder, so that relative names in ``settings`` are found there even
    where it may not look into the folders above. ``kept`` are descriptors that it inherits.
    ``refresh`` is called now and then, and tells whether Mosquitto is to read its files anew.
    ``origin`` is the file that the settings were read from, for what Mosquitto says of them.
    """

    program: str
    settings: str
    listener: Listener
    folder: Path | None = None
    kept: tuple[int, ...] = ()
    refresh: Callable[[], bool] = lambda: False
    origin: Path | None = None


def run_mosquitto(setup: Setup, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; the child does not outlive us.

    Raises:
        EngineError: it did not start, or ended by itself.
    """
    with (
        contextlib.suppress(Ended),
        ended_by_signals(late_code=0),
        tempfile.TemporaryDirectory(prefix="fog-broker-") as folder,
    ):
        conf = Path(folder, "mosquitto.conf")
        conf.write_text(f"{setup.settings}\nlog_dest stderr\n", "utf-8")
        # Mosquitto reads it as the user it becomes, and that is not us when we are root.
        Path(folder).chmod(0o755)
        conf.chmod(0o644)
        _serve(setup, conf, ready)


def mosquitto_user() -> tuple[int, int] | None:
    """Return who Mosquitto becomes where we are root; None where it stays who we are."""
    if os.geteuid() != 0:
        return None
    for name in ("mosquitto", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    return None


def _serve(setup: Setup, conf: Path, ready: Callable[[], None]) -> None:
    # It would become that user by itself, but then the kernel forgets that it is to end with us;
    # a port below 1024 needs root at first.
    other = mosquitto_user() if setup.listener.port >= 1024 else None
    user, group = other or (None, None)
    said: _Log | None = None
    try:
        with held():
            said = _Log(
                subprocess.Popen(
                    [setup.program, "-c", str(conf)],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    env=environment_that_keeps_large_buffers(),
                    cwd=setup.folder,
                    pass_fds=setup.kept,
                    umask=0o077,
                    user=user,
                    group=group,
                    extra_groups=None if user is None else [],
                    preexec_fn=end_with_parent(),  # noqa: PLW1509 - the only other thread waits for signals
                ),
                {str(conf): str(setup.origin)} if setup.origin else {},
            )
        _await_answer(setup.listener, said)
        ready()
        while not said.ended(_REFRESH_SECONDS):
            if setup.refresh():
                said.child.send_signal(signal.SIGHUP)
        said.child.wait()
        raise EngineError(f"mosquitto ended: {said.reason()}")
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
    """What the child says: passed on while it serves, and its last lines explain its end.

    ``names`` are what it calls files, and what those who started it do.
    """

    def __init__(self, child: "subprocess.Popen[str]", names: Mapping[str, str]) -> None:
        self.child = child
        self._names = names
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

    def reason(self) -> str:
        """Return why it ended: the errors among its last words, or else the last of them."""
        self._thread.join(1.0)
        return reason_of(self._lines) or "it said nothing"

    def _read(self) -> None:
        for line in self.child.stderr or ():
            text = line.strip().partition(": ")[2] or line.strip()  # without the timestamp
            for name, known_as in self._names.items():
                text = text.replace(name, known_as)
            self._lines.append(text)
            if self._pass_on:
                sys.stderr.write(f"mosquitto: {text}\n")


def reason_of(lines: Sequence[str]) -> str:
    """Return the errors among lines of Mosquitto: what is wrong, then where it stands; or the last line."""
    errors = [line.removeprefix("Error: ").rstrip(".") for line in lines if "rror" in line]
    return "; ".join(errors or list(lines)[-1:])


def _await_answer(listener: Listener, said: _Log) -> None:
    """Return once Mosquitto answers a client.

    To be connected is not enough: it forgets a SIGTERM that comes before its main loop runs.
    """
    for _ in range(int(_START_SECONDS / 0.02)):
        with contextlib.suppress(OSError):
            if _answers(listener):
                said.begin()
                return
        if said.ended(0.02):
            raise EngineError(f"mosquitto did not start: {said.reason()}")
    raise EngineError(f"mosquitto did not answer on port {listener.port} in {_START_SECONDS:g} s")


def _answers(listener: Listener) -> bool:
    address = (reachable_host(listener.host), listener.port)
    with create_connection(address, 1.0) as client:
        if listener.context is None:
            client.sendall(_CONNECT)
            return bool(client.recv(1))
        try:
            with listener.context.wrap_socket(client) as encrypted, contextlib.suppress(OSError):
                encrypted.unwrap()  # the handshake was the answer; without a goodbye it is logged
        except ssl.SSLError as error:
            return "ALERT" in (error.reason or "")  # it wants a certificate, so it is there
        return True
