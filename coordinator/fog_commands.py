"""The commands that talk to a fog: ``serve``, ``deploy``, ``redeploy``, ``undeploy``, ``status``, ``forget``."""

import logging
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.bus.seam import Will
from broker.command_line import (
    BROKER,
    MOST_SECONDS,
    SITE,
    Broker,
    Json,
    Site,
    check_ids,
    connection,
    console,
    not_nan,
    refuse,
    say,
    say_json,
    state_dir,
)
from broker.ending import stopped_by_signals
from broker.messages import OFFLINE, Status
from broker.topics import COORDINATOR, COORDINATOR_STATE

_log = logging.getLogger("fog-coordinator")


def serve(
    broker: Broker = BROKER,
    site: Site = SITE,
    folder: Annotated[
        Path | None,
        typer.Option("--state-dir", help="Where bundles and deployments are kept over restarts."),
    ] = None,
) -> None:
    """Watch the fog nodes, place what is deployed, and place it anew when one dies."""
    from coordinator.fog.service import Service
    from coordinator.fog.state_folder import StateError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    check_ids(site=site)
    folder = state_dir(folder, f"{COORDINATOR}-{site}")
    will = Will(COORDINATOR_STATE.at(site), OFFLINE)
    # An id of its own, not the site's: of two coordinators the later stays, and says so.
    client_id = f"{COORDINATOR}-{uuid.uuid4().hex[:12]}"
    with (
        stopped_by_signals() as stop,
        connection(broker, client_id, will=will, retry=True) as bus,
    ):
        try:
            service = Service(site, folder, bus)
            stop.calls(service.stop)
            say(f"fog-coordinator is ready for site {site}, state in {folder}")
            reason = service.run()
        except StateError as error:
            refuse(error)
        except Exception as error:  # noqa: BLE001  one line for people, never exit code 0
            _log.debug("ended", exc_info=error)
            refuse(f"fog-coordinator ended by a mistake of ours: {error!r}", 1)
    if reason:
        refuse(reason)


Wait = Annotated[bool, typer.Option("--wait", help="Return when it serves.")]
Timeout = Annotated[
    float,
    typer.Option(min=1, max=MOST_SECONDS, callback=not_nan, help="Seconds to wait with --wait."),
]


def deploy(
    bundle_dir: Annotated[Path, typer.Argument(help="A bundle folder that `train` made.")],
    name: Annotated[str, typer.Option(help="What the cameras call it.")],
    broker: Broker = BROKER,
    site: Site = SITE,
    wait: Wait = False,
    timeout: Timeout = 120.0,
    as_json: Json = False,
) -> None:
    """Hand a bundle to the coordinator, who places it on the fog nodes."""
    from coordinator.fog.client import Client, DeploymentError
    from coordinator.fog.runnable import check_runnable
    from models.bundle import BundleError, read_bundle

    check_ids(name=name, site=site)
    try:
        bundle = read_bundle(bundle_dir)
        check_runnable(bundle, bundle_dir)
    except BundleError as error:
        refuse(error)
    with connection(broker, f"deploy-{uuid.uuid4().hex[:12]}") as bus:
        try:
            status = Client(bus, site).deploy(
                bundle,
                bundle_dir,
                name,
                wait_s=timeout if wait else None,
                tell=_teller(quiet=as_json),
            )
        except DeploymentError as error:
            refuse(error, 1)
    if as_json:
        say_json(status.model_dump())


def redeploy(
    name: Annotated[str, typer.Argument(help="The deployment.")],
    broker: Broker = BROKER,
    site: Site = SITE,
    wait: Wait = False,
    timeout: Timeout = 120.0,
    as_json: Json = False,
) -> None:
    """Place a deployment anew on the fog nodes of now; no frame is lost by it."""
    from coordinator.fog.client import Client, DeploymentError

    check_ids(name=name, site=site)
    with connection(broker, f"deploy-{uuid.uuid4().hex[:12]}") as bus:
        try:
            status = Client(bus, site).redeploy(
                name, wait_s=timeout if wait else None, tell=_teller(quiet=as_json)
            )
        except DeploymentError as error:
            refuse(error, 1)
    if as_json:
        say_json(status.model_dump())


def undeploy(
    name: Annotated[str, typer.Argument(help="The deployment.")],
    broker: Broker = BROKER,
    site: Site = SITE,
) -> None:
    """End a deployment: the fog nodes finish what is in flight and forget it."""
    from coordinator.fog.client import Client, DeploymentError

    check_ids(name=name, site=site)
    with connection(broker, f"deploy-{uuid.uuid4().hex[:12]}") as bus:
        try:
            Client(bus, site).undeploy(name)
        except DeploymentError as error:
            refuse(error, 1)
    say(f"{name}: undeployed")


def status(
    broker: Broker = BROKER,
    site: Site = SITE,
    listen: Annotated[
        float,
        typer.Option(min=0.1, max=MOST_SECONDS, callback=not_nan, help="Seconds to listen."),
    ] = 1.5,
    as_json: Json = False,
) -> None:
    """Show what serves, what is degraded, since when and why; and the fog nodes."""
    from coordinator.fog.client import Client
    from coordinator.fog.status_lines import status_lines
    from coordinator.fog.status_table import status_tables

    check_ids(site=site)
    with connection(broker, f"status-{uuid.uuid4().hex[:12]}") as bus:
        snapshot = Client(bus, site).look(listen)
    now = time.monotonic()
    if as_json:
        say_json(snapshot.as_json(now))
        return
    for line in status_lines(snapshot, now, time.time()):
        console.print(line, soft_wrap=True)
    for table in status_tables(snapshot, now):
        console.print(table)


def forget(
    node: Annotated[str, typer.Argument(help="A fog node that is gone, or was mistyped.")],
    broker: Broker = BROKER,
    site: Site = SITE,
    as_json: Json = False,
) -> None:
    """Clear what a fog node that is gone left behind; one that is online is left alone."""
    from coordinator.fog.client import Client, DeploymentError

    check_ids(node=node, site=site)
    with connection(broker, f"forget-{uuid.uuid4().hex[:12]}") as bus:
        try:
            cleared = Client(bus, site).forget(node)
        except DeploymentError as error:
            refuse(error, 1)
    if as_json:
        say_json({"node": node, "cleared": cleared})
    else:
        say(f"{node}: forgotten; cleared its {', '.join(cleared)}")


def _teller(*, quiet: bool) -> Any:
    def tell(status: Status) -> None:
        where = ", ".join(f"{part} on {node}" for part, node in sorted(status.placement.items()))
        if not quiet:
            say(f"{status.deployment}: {status.phase} {status.reason or where}")

    return tell
