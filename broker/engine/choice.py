"""The engines that ``fog-broker run`` can run."""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from broker.engine.address import EngineError
from broker.engine.mosquitto import Mosquitto


class Engine(Protocol):
    """One kind of broker."""

    name: str
    absence: str
    """What to say when it is not on this machine."""

    def version(self) -> str | None:
        """Return the version on this machine, or None if it is not there."""

    def run(self, host: str, port: int, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT, calling ``ready`` once clients can connect.

        Raises:
            EngineError: it did not start, or ended by itself.
        """


class Embedded:
    """amqtt, a broker in Python: for one machine and for tests, never for access control."""

    name = "embedded"
    absence = "the embedded broker (amqtt) is not installed; in your clone: pip install '.[coordinator]' has it"

    def version(self) -> str | None:
        """Return the installed version of amqtt."""
        if importlib.util.find_spec("amqtt") is None:
            return None
        return importlib.metadata.version("amqtt")

    def run(self, host: str, port: int, ready: Callable[[], None]) -> None:
        """Serve with amqtt in this process."""
        from broker.engine.embedded import serve

        serve(host, port, ready)


ENGINES: Final[dict[str, Engine]] = {engine.name: engine for engine in (Mosquitto(), Embedded())}
"""By name, the one that ``auto`` prefers first."""


def available_engines() -> list[str]:
    """Return the names of the engines that this machine can run, the preferred first."""
    return [name for name, engine in ENGINES.items() if engine.version() is not None]


def choose_engine(name: str, conf: Path | None = None) -> Engine:
    """Return the engine called ``name``, or for ``auto`` the first that is there.

    ``conf`` takes the place of our ``mosquitto.conf``, and so asks for Mosquitto.

    Raises:
        EngineError: it is not on this machine.
    """
    if conf is not None and name == "embedded":
        raise EngineError("the embedded broker has no use for a mosquitto.conf")
    if name == "auto" and conf is None:
        found = available_engines()
        if not found:
            raise EngineError(
                "there is no broker on this machine: install mosquitto, "
                "or the embedded one with in your clone: pip install '.[coordinator]'"
            )
        return ENGINES[found[0]]
    engine = ENGINES[name] if conf is None else Mosquitto(conf)
    if engine.version() is None:
        raise EngineError(engine.absence)
    return engine
