"""``fog-broker``: a broker on this machine, with the settings that Fogweave needs."""

import contextlib
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from broker.bus.url import BrokerUrl
from broker.check_command import check_broker
from broker.closed.authority import ClockError
from broker.closed.folder import ClosedFog, ClosedFogError
from broker.closed.serving import serve_closed
from broker.closed_commands import enrol, init, revoke
from broker.command_line import application, refuse
from broker.engine.address import EngineError, free_port, own_address, reachable_host
from broker.engine.choice import choose_engine
from broker.engine.listener import Listener
from broker.engine.mosquitto import Mosquitto
from broker.engine.parentage import end_with_parent
from broker.entry import run_command

app = application("Runs the MQTT broker that the parts of Fogweave meet at.")


class EngineName(StrEnum):
    """Which broker to run."""

    AUTO = "auto"
    MOSQUITTO = "mosquitto"
    EMBEDDED = "embedded"


@app.callback()
def fog_broker() -> None:
    """Run the MQTT broker that the parts of Fogweave meet at."""


for command in (init, enrol, revoke):
    app.command()(command)
app.command("check")(check_broker)


@app.command()
def run(
    *,
    engine: Annotated[
        EngineName, typer.Option(help="auto: Mosquitto when it is on the machine, else embedded.")
    ] = EngineName.AUTO,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="0 chooses a free one. Default: 1883, or DIR's."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="The address to listen on; 0.0.0.0: all. Default: 127.0.0.1, with --dir all."
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="The folder of a closed fog, which `init` made: TLS and rights."
        ),
    ] = None,
    conf: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Mosquitto settings instead of ours; with a listener of their own as they are.",
        ),
    ] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Run a broker until Ctrl-C or SIGTERM: open, on this machine; or with --dir closed, for the network."""
    if with_parent:
        end_with_parent()()
    if host == "":  # a shell's variable that is not set: to the kernel it means all addresses
        refuse("--host: names no address; 0.0.0.0 is all of this machine's")
    try:
        if folder is not None:
            _run_closed(folder, engine, host, port, conf)
        else:
            _run_open(engine, host, port, conf)
    except (EngineError, ClosedFogError, ClockError) as error:
        refuse(error)


def _run_open(engine: EngineName, host: str | None, port: int | None, conf: Path | None) -> None:
    chosen = choose_engine(engine.value, conf)
    version = chosen.version()
    own = getattr(chosen, "listener", None)
    if own is not None:
        if host is not None or port is not None:
            raise EngineError(f"{conf} says itself where to listen; leave out --host and --port")
        free_port(own.host or "0.0.0.0", own.port)  # noqa: S104 - so its settings say
        chosen.run(own.host, own.port, lambda: typer.echo(_ready(chosen.name, version, own.url)))
        return
    host = "127.0.0.1" if host is None else host
    port = free_port(host, 1883 if port is None else port)
    local = BrokerUrl(reachable_host(host), port)

    def ready() -> None:
        if conf is None:
            typer.echo(_openness(host, port))
        typer.echo(_ready(chosen.name, version, local))

    chosen.run(host, port, ready)


def _openness(host: str, port: int) -> str:
    """Return who may do what at an open broker."""
    local = reachable_host(host)
    if local == host and _is_loopback(host):
        return (
            "open: whoever is on this machine may connect and do anything; other machines cannot "
            "(--host 0.0.0.0 lets them, fog-broker init makes a closed fog)"
        )
    address = host if local == host else own_address()
    return (
        f"open: anyone on the network may connect and do anything, at {BrokerUrl(address, port)}; "
        "fog-broker init makes a closed fog"
    )


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _run_closed(
    folder: Path, engine: EngineName, host: str | None, port: int | None, conf: Path | None
) -> None:
    fog = ClosedFog.read(folder)
    if engine is EngineName.EMBEDDED:
        raise EngineError("the embedded broker has no access control; a closed fog needs mosquitto")
    if conf is not None:
        raise EngineError("--conf and --dir do not go together: a closed fog has settings of ours")
    if port not in (None, fog.settings.port):
        raise EngineError(
            f"--port: the join files of {folder} say {fog.settings.port}; "
            "another port needs another folder: fog-broker init --port"
        )
    host = "0.0.0.0" if host is None else host  # noqa: S104 - other machines are the point
    free_port(host, fog.settings.port)

    def ready(listener: Listener) -> None:
        typer.echo(
            f"closed: enrolled devices of site {fog.settings.site} may connect, over TLS, "
            f"at {fog.url}; one more: fog-broker enrol"
        )
        typer.echo(_ready("mosquitto", Mosquitto().version(), listener.url))

    serve_closed(fog, host, ready)


def _ready(name: str, version: str | None, url: BrokerUrl) -> str:
    return f"broker ready: {name} {version} at {url}"


if __name__ == "__main__":
    run_command("fog-broker", lambda: app)
