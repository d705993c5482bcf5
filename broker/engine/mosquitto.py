"""The Mosquitto of this machine: where it is, and what it is started with."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broker.engine.address import EngineError
from broker.engine.listener import Listener, listener_of, read_settings
from broker.engine.mosquitto_process import Setup, run_mosquitto

_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin")
_PLUGIN: Final = "mosquitto_dynamic_security.so"
_PLUGIN_PLACES: Final = (
    "/usr/lib/*-linux-*",  # Debian, Ubuntu, Raspberry Pi OS: /usr/lib/aarch64-linux-gnu
    "/usr/lib",  # Arch, Alpine
    "/usr/lib64",  # Fedora
    "/usr/lib/mosquitto",
    "/usr/local/lib",
    "/opt/homebrew/lib",
    "/opt/homebrew/opt/mosquitto/lib",
    "/usr/local/opt/mosquitto/lib",
)


class Mosquitto:
    """Mosquitto with our settings, or with a ``mosquitto.conf`` instead of ours.

    One that says itself where to listen is run as it is.

    Raises:
        EngineError: its settings cannot be used.
    """

    name = "mosquitto"
    absence = "mosquitto is not on this machine; --engine embedded needs none"

    def __init__(self, conf: Path | None = None) -> None:
        self._conf = conf or default_settings()
        self.listener = None if conf is None else listener_of(conf)
        """Where the settings themselves say that it listens."""

    def version(self) -> str | None:
        """Return the version on this machine, or None if it is not there."""
        found = program()
        if found is None:
            return None
        said = subprocess.run([found, "-h"], capture_output=True, text=True, check=False).stdout
        words = said.split(maxsplit=3)
        return words[2] if words[:2] == ["mosquitto", "version"] else "of unknown version"

    def run(self, host: str, port: int, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; the child does not outlive us."""
        found = program()
        if found is None:
            raise EngineError(self.absence)
        settings = read_settings(self._conf)
        listener = self.listener
        if listener is None:
            listener = Listener(host, port)
            settings += f"\nlistener {port} {host}\n"
        run_mosquitto(Setup(found, settings, listener, origin=self._conf), ready)


def default_settings() -> Path:
    """Return our ``mosquitto.conf``: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parents[1]
    packaged = here / "mosquitto.conf"
    return packaged if packaged.exists() else here.parent / "mosquitto.conf"


def program() -> str | None:
    """Return where Mosquitto is."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_PLACES))


def dynamic_security_plugin() -> Path:
    """Return where Mosquitto's dynamic security is.

    Raises:
        EngineError: it is not on this machine.
    """
    for place in _PLUGIN_PLACES:
        folder = Path(place)
        for found in sorted(Path(folder.anchor).glob(f"{place.lstrip('/')}/{_PLUGIN}")):
            return found
    raise EngineError(
        f"mosquitto's dynamic security ({_PLUGIN}) is not on this machine; "
        "it comes with mosquitto 2.0 or newer: apt install mosquitto, brew install mosquitto"
    )
