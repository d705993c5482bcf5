"""The broker as a part that may be killed, frozen and started again on the same port."""

import signal
from pathlib import Path
from typing import Final

import psutil

from benchmarks.chaos.parts import Parts
from broker.bus.url import BrokerUrl
from broker.engine.mosquitto import default_settings
from coordinator.demo.ways_in import LOOPBACK

BROKER: Final = "broker"
_READY: Final = "broker ready: "


class BrokerProcess:
    """``fog-broker run`` with some options, and the Mosquitto that it keeps."""

    def __init__(self, parts: Parts, options: tuple[str, ...]) -> None:
        self._parts, self._options = parts, options
        self._port = 0
        self.name = ""
        """Which broker it is, with its version."""

    @property
    def url(self) -> str:
        """Where it listens, if it is open."""
        return f"mqtt://{LOOPBACK}:{self._port}"

    @property
    def port(self) -> int:
        """The port, the same at every start."""
        return self._port

    def start(self) -> None:
        """Start it, on the port that it had."""
        port = () if "--dir" in self._options else ("--port", str(self._port))
        self._parts.run(
            BROKER, BROKER, "fog-broker", "run", *self._options,
            "--host", LOOPBACK, *port, "--with-parent",
        )  # fmt: skip
        self._parts.wait_ready(BROKER)
        said = self._parts.output_of(BROKER).partition(_READY)[2].split()
        self._port = BrokerUrl.parse(said[-1]).port
        self.name = " ".join(said[:-2])

    def kill(self) -> None:
        """Kill it, the engine first: it is to have no time for a goodbye."""
        self._signal(signal.SIGKILL)
        self._parts.kill(BROKER)

    def freeze(self) -> None:
        """Suspend it, every connection standing."""
        self._signal(signal.SIGSTOP)
        self._parts.freeze(BROKER)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)
        self._parts.thaw(BROKER)

    @property
    def pids(self) -> list[int]:
        """The processes that are the broker: the command, and Mosquitto if it runs one."""
        command = psutil.Process(self._parts.pid(BROKER))
        return [command.pid, *(child.pid for child in command.children())]

    def _signal(self, number: signal.Signals) -> None:
        for child in psutil.Process(self._parts.pid(BROKER)).children():
            child.send_signal(number)


def persistent_settings(folder: Path) -> Path:
    """Write our settings with retained messages kept on the disk at every change."""
    kept = folder / "mosquitto"
    kept.mkdir()
    kept.chmod(0o777)  # Mosquitto becomes another user when we are root
    settings = default_settings().read_text(encoding="utf-8").splitlines()
    lines = [line for line in settings if not line.startswith("persistence ")]
    lines += ["persistence true", f"persistence_location {kept}/", "autosave_on_changes true"]
    path = folder / "persistent.conf"
    path.write_text("\n".join([*lines, "autosave_interval 1", ""]), encoding="utf-8")
    return path
