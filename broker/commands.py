"""``fog-broker``: a broker on this machine, with the settings that Fogweave needs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broker.bus.url import BrokerUrl
from broker.command_line import application, refuse
from broker.engine.address import EngineError, free_port, own_address, reachable_host
from broker.engine.choice import choose_engine
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


@app.command()
def run(
    *,
    engine: Annotated[
        EngineName, typer.Option(help="auto: Mosquitto when it is on the machine, else embedded.")
    ] = EngineName.AUTO,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free one.")] = 1883,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 127.0.0.1 keeps it local.")
    ] = "0.0.0.0",  # noqa: S104 - other machines are the point, and a notice says so
    conf: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Mosquitto settings instead of ours; no listener."
        ),
    ] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Run a broker until Ctrl-C or SIGTERM."""
    if with_parent:
        end_with_parent()()
    try:
        chosen = choose_engine(engine.value, conf)
        version = chosen.version()
        port = free_port(host, port)
        local = BrokerUrl(reachable_host(host), port)

        def ready() -> None:
            if local.host != host:
                typer.echo(
                    f"anyone on the network may connect, at mqtt://{own_address()}:{port}; "
                    "--host 127.0.0.1 keeps it local"
                )
            typer.echo(f"broker ready: {chosen.name} {version} at {local}")

        chosen.run(host, port, ready)
    except EngineError as error:
        refuse(error)


if __name__ == "__main__":
    run_command("fog-broker", lambda: app)
