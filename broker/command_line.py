"""What all commands have in common: options that mean the same, and the one plain line of a refusal."""

import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

from broker.bus.mqtt import MqttBus
from broker.bus.seam import BrokerUnreachableError, Will
from broker.ending import Stop
from broker.topics import InvalidIdError, check_id


class PlainGroup(TyperGroup):
    """Commands whose refusals are one plain line, whatever was wrong with the arguments."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and end the process with 0, the command's own code, or 2 for wrong arguments."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.Abort:
            sys.exit(130)
        except ModuleNotFoundError as error:
            _complain(f"{error.name} is not installed; in your clone: pip install '.[coordinator]'")
            sys.exit(2)
        except Exception as error:
            # Typer carries a click of its own, whose errors are known by what they can do.
            told: Callable[[], str] | None = getattr(error, "format_message", None)
            if told is None:
                raise
            _complain(f"{' '.join(told().split()).rstrip('.')}. Try --help.")
            sys.exit(2)
        sys.exit(code if isinstance(code, int) else 0)


def application(purpose: str) -> typer.Typer:
    """Return the application that a module's commands are added to; ``purpose`` is its help."""
    return typer.Typer(cls=PlainGroup, help=purpose, add_completion=False)


BROKER: Final = "mqtt://127.0.0.1:1883"
SITE: Final = "home"

Broker = Annotated[str, typer.Option(help="The broker's address, mqtt://HOST:PORT.")]
Site = Annotated[str, typer.Option(help="Fogs of different sites do not hear each other.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

MOST_SECONDS: Final = 31_536_000.0
"""A year, the longest that an option may ask to wait: beyond that the clocks overflow."""

console, error_console = Console(), Console(stderr=True)


def refuse(sentence: object, code: int = 2) -> NoReturn:
    """End the command with one plain line on stderr."""
    error_console.print(
        f"error: {sentence}", style="red", highlight=False, soft_wrap=True, markup=False
    )
    raise typer.Exit(code)


def _complain(sentence: object) -> None:
    error_console.print(
        f"error: {sentence}", style="red", highlight=False, soft_wrap=True, markup=False
    )


def say(text: str) -> None:
    """Print a line for people, as it is."""
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def say_json(value: Any) -> None:
    """Print the one JSON object of ``--json``."""
    sys.stdout.write(json.dumps(value) + "\n")


def not_nan(value: float | None) -> float | None:
    """Refuse what is no number: it is neither below nor above any bound of an option."""
    if value is not None and math.isnan(value):
        raise typer.BadParameter("nan is not a number")
    return value


def check_ids(**names: str) -> None:
    """Refuse a name that no topic can carry, by its option."""
    for field, value in names.items():
        try:
            check_id(field, value)
        except InvalidIdError as error:
            refuse(error)


def state_dir(given: Path | None, name: str) -> Path:
    """Return where a part keeps its state, by default under the user's state folder."""
    if given is not None:
        return given
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "fogweave" / name


@contextmanager
def connection(
    url: str, client_id: str, *, will: Will | None = None, retry: bool = False
) -> Iterator[MqttBus]:
    """Yield a bus and close it after; an address that is not valid, or without a broker, is refused."""
    try:
        bus = MqttBus.connect(url, client_id, will=will, retry=retry)
    except (ValueError, BrokerUnreachableError) as error:
        refuse(error)
    try:
        yield bus
    finally:
        bus.close()


def wait_connected(bus: MqttBus, *, seconds: float | None = None, stop: Stop | None = None) -> bool:
    """Wait for the broker, ``seconds`` at most or until told to stop; return whether it is there."""
    ready = threading.Event()
    bus.on_connection(lambda there: ready.set() if there else None)
    if stop is not None:
        stop.calls(ready.set)
    return ready.wait(seconds) and not (stop is not None and stop.told)
