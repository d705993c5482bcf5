"""The options with which every command joins a fog; a command takes what they come to as ``joined``."""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from broker.access.join_file import Role
from broker.access.joining import BROKER, PASSWORD, SITE, Given, Joined
from broker.bus.mqtt import MqttBus
from broker.bus.seam import BrokerRefusedError, BrokerUnreachableError, Will
from broker.command_line import check_ids, refuse, warn


def _option(kind: Any, help_: str, *names: str, default: str | None = None) -> Any:
    option = typer.Option(
        *names, help=help_, show_default=default or False, rich_help_panel="Joining a fog"
    )
    return Annotated[kind | None, option]


_KEY_HELP: Final = "The key of --cert (PEM)."
_OPTIONS: Final[dict[str, Any]] = {
    "broker": _option(
        str, "The broker's address, mqtt://HOST:PORT, or mqtts:// over TLS.", default=BROKER
    ),
    "site": _option(str, "Fogs of different sites do not hear each other.", default=SITE),
    "join": _option(Path, "What `fog-broker enrol` made for us; no other option is needed."),
    "ca": _option(Path, "The broker's authority (PEM); default: those of this system."),
    "cert": _option(Path, "Our own certificate (PEM), for a broker that wants one."),
    "cert_key": _option(Path, _KEY_HELP, "--key", "--cert-key"),
    "user": _option(str, "Our user name."),
    "password_file": _option(Path, f"Holds the password, for us alone; or set {PASSWORD}."),
}
_SIGNING_OPTIONS: Final = {**_OPTIONS, "cert_key": _option(Path, _KEY_HELP, "--cert-key")}


JoinedWith = Callable[..., Joined]
"""Returns where to connect to and as whom, with ``broker`` and ``site`` where no option says so."""


def joins(
    *roles: Role, signs: bool = False, filled: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes ``joined`` the options for joining, with join files of ``roles``.

    ``signs``: the command has a ``--key`` of its own, the one that the operator signs with; there the
    key of our certificate is ``--cert-key`` alone. ``filled``: a file has a say in it too, and the command
    takes ``joined`` as a `JoinedWith`.
    """
    options = _SIGNING_OPTIONS if signs else _OPTIONS

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            typed = Given(**{name: given.pop(name) for name in options})

            def with_defaults(broker: str | None = None, site: str | None = None) -> Joined:
                filled_in = replace(
                    typed,
                    broker=broker if typed.broker is None else typed.broker,
                    site=site if typed.site is None else typed.site,
                )
                return _joined(filled_in, roles)

            command(joined=with_defaults if filled else _joined(typed, roles), **given)

        own = inspect.signature(command, eval_str=True).parameters.values()
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in options.items()
        ]
        parameters = [
            *(known.replace(kind=known.KEYWORD_ONLY) for known in own if known.name != "joined"),
            *shared,
        ]
        # Typer reads a command's options from its signature and its annotations.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {known.name: known.annotation for known in parameters}
        return run

    return wrap


def _joined(given: Given, roles: tuple[Role, ...]) -> Joined:
    try:
        joined = Joined.of(given, roles, os.environ)
    except ValueError as error:
        refuse(error)
    check_ids(site=joined.site)
    if joined.exposed:
        warn(joined.exposed)
    return joined


def own_id(joined: Joined, given: str | None) -> str:
    """Return the id of this device, by its join file or by ``--id``."""
    try:
        name = joined.own_id(given)
    except ValueError as error:
        refuse(error)
    check_ids(id=name)
    return name


@contextmanager
def connection(
    joined: Joined, client_id: str, *, will: Will | None = None, retry: bool = False
) -> Iterator[MqttBus]:
    """Yield a bus and close it after; a broker that is not there, or refuses us, is one plain line.

    All commands of one enrolled user have one client id: the later ends the earlier, for good.
    """
    try:
        bus = MqttBus.connect(
            joined.url,
            client_id,
            credentials=joined.credentials,
            will=will,
            retry=retry,
            yields=joined.device is not None and not retry,
        )
    except (ValueError, BrokerUnreachableError, BrokerRefusedError) as error:
        refuse(error)
    try:
        yield bus
    finally:
        bus.close()
