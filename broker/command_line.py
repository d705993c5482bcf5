"""What all commands have in common: options that mean the same, and the one plain line of a refusal."""

import json
import logging
import math
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

from broker.access.redaction import redacted
from broker.bus.mqtt import MqttBus
from broker.ending import Stop
from broker.files.outputs import make_state_folder
from broker.files.text import FileError
from broker.printable import printable
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
            said = " ".join(told().split()).replace(": Value error, ", ": ").rstrip(".")
            _complain(f"{said}{'' if said.endswith('?') else '.'} Try --help.")
            sys.exit(2)
        sys.exit(code if isinstance(code, int) else 0)


def application(purpose: str) -> typer.Typer:
    """Return the application that a module's commands are added to; ``purpose`` is its help."""
    return typer.Typer(cls=PlainGroup, help=purpose, add_completion=False)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

MOST_SECONDS: Final = 31_536_000.0
"""A year, the longest that an option may ask to wait: beyond that the clocks overflow."""

_MOST_SAID: Final = 2000

# Names, paths and reasons come from others: none of them is markup, and :cat: is no picture of one.
console = Console(markup=False, emoji=False, highlight=False)
error_console = Console(stderr=True, markup=False, emoji=False, highlight=False)


def refuse(sentence: object, code: int = 2) -> NoReturn:
    """End the command with one plain line on stderr."""
    _complain(sentence)
    raise typer.Exit(code)


def warn(sentence: object) -> None:
    """Say what is not as it should be; the command goes on."""
    _complain(sentence, "warning", "yellow")


def _complain(sentence: object, what: str = "error", style: str = "red") -> None:
    line = printable(f"{what}: {redacted(str(sentence))}", _MOST_SAID)
    error_console.print(line, style=style, soft_wrap=True)


class _PlainFormatter(logging.Formatter):
    """Lines without secrets, and without what a terminal acts on: ids and reasons come from others."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = redacted(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()
        return "\n".join(redacted(line) for line in lines)


def start_log(*, service: bool) -> None:
    """Have what happens logged on stderr: of a ``service`` all with the time, else what goes wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        _PlainFormatter("%(asctime)s %(name)s: %(message)s" if service else "%(message)s")
    )
    logging.basicConfig(level=logging.INFO if service else logging.WARNING, handlers=[handler])


def say(*lines: str) -> None:
    """Print lines for people, as they are; what others made up does not reach the terminal as commands."""
    for line in lines:
        console.print(printable(line, None), soft_wrap=True)


def say_json(value: Any) -> None:
    """Print the one JSON object of ``--json``."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()  # a pipe is to have it now: the process may be ended before its end


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
    """Return where a part keeps its state, by default under the user's state folder; refuse one that cannot be."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(home) / "fogweave" / name if given is None else given
    try:
        make_state_folder("--state-dir", folder)
    except FileError as error:
        refuse(error)
    return folder


def wait_connected(bus: MqttBus, *, seconds: float | None = None, stop: Stop | None = None) -> bool:
    """Wait for the broker, ``seconds`` at most or until told to stop; return whether it is there."""
    ready = threading.Event()
    bus.on_connection(lambda there: ready.set() if there else None)
    if stop is not None:
        stop.calls(ready.set)
    return ready.wait(seconds) and not (stop is not None and stop.told)
