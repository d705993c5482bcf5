"""The command ``fog-node``."""

import uuid
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer

from broker.access.joining import Joined
from broker.bus.seam import Will
from broker.command_line import (
    application,
    refuse,
    say,
    start_log,
    state_dir,
    wait_connected,
)
from broker.ending import Stop, stopped_by_signals
from broker.join_options import connection, joins, own_id
from broker.messages import OFFLINE, NodeInfo
from broker.topics import NODE_STATE
from fog_node.namesake import is_running
from fog_node.node import FogNode, NodeSettings

_CORES: Final = psutil.cpu_count() or 1
_MOST_THREADS: Final = max(64, _CORES)
"""More threads than cores only slow a partition down, and a million keep a device from ending."""

_MOST_MEMORY_MB: Final = 1_000_000_000

node_app = application("A device near the cameras that runs its part of the network.")


@node_app.callback()
def _group() -> None:
    pass


@node_app.command("run")
@joins("node")
def run_node(
    joined: Joined,
    node: Annotated[
        str | None,
        typer.Option("--id", help="This device's name, for example pi-hall; --join brings it."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--state-dir", help="Where fetched partitions are kept over restarts."),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            min=1, max=_MOST_THREADS, help="Threads for one partition; default: all cores."
        ),
    ] = _CORES,
    memory_mb: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST_MEMORY_MB,
            help="What partitions may take together; default: what is free now.",
        ),
    ] = None,
) -> None:
    """Join the fog and run what the coordinator assigns, until stopped.

    A missing broker is waited for, and so is one that refuses us. Two nodes need two ids.

    Example: fog-node run --join pi-hall.join
    """
    start_log(service=True)
    node, site = own_id(joined, node), joined.site
    folder = state_dir(folder, node)
    memory = memory_mb * 1_000_000 if memory_mb else psutil.virtual_memory().available
    will = Will(NODE_STATE.at(site, node=node), OFFLINE)

    trust = (
        "open: runs whatever the coordinator assigns"
        if joined.operator_key is None
        else "runs only what is signed by the operator"
    )

    def introduce(info: NodeInfo) -> None:
        say(
            f"fog-node {node} ready: {info.cores} cores, {memory / 1e6:.0f} MB, "
            f"broker {info.links.latency_s * 1000:.2f} ms away; {trust}"
        )

    with stopped_by_signals() as stop:
        _refuse_namesake(joined, node, stop)
        if stop.told:
            return
        with connection(joined, f"{site}/node/{node}", will=will, retry=True) as bus:
            if not wait_connected(bus, stop=stop):
                return
            try:
                settings = NodeSettings(node, site, folder, threads, memory, joined.operator_key)
                fog_node = FogNode(settings, bus)
                stop.calls(fog_node.stop)
                reason = fog_node.run(introduce)
            except OSError as error:
                refuse(f"--state-dir {folder}: {error.strerror}")
        if reason:
            refuse(reason)


def _refuse_namesake(joined: Joined, node: str, stop: Stop) -> None:
    """Leave the id to the fog node that has it: who starts a second one is told, not who runs."""
    site = joined.site
    client_id, asking = joined.asking(f"{site}/ask/{node}/{uuid.uuid4().hex[:12]}")
    with connection(asking, client_id, retry=True) as bus:
        if wait_connected(bus, stop=stop) and is_running(bus, site, node, stop):
            refuse(
                f"another fog-node with the id {node} is running at this broker; "
                "choose another --id or stop that one"
            )
