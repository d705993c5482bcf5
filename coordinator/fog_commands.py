"""The commands that talk to a fog: ``serve``, ``deploy``, ``redeploy``, ``undeploy``, ``status``."""

import logging
import threading
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
from broker.topics import COORDINATOR, NODE_STATE


def serve(
    broker: Broker = BROKER,
    site: Site = SITE,
    folder: Annotated[
        Path | None,
        typer.Option("--state-dir", help="Where bundles and deployments are kept over restarts."),
    ] = None,
) -> None:
    """Watch the fog nodes, place what is deployed, and place it anew when one dies."""
    from coordinator.fog.service import Service, StateError
    from evolution.placement.genetic import warm_up

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    check_ids(site=site)
    folder = state_dir(folder, f"{COORDINATOR}-{site}")
    will = Will(NODE_STATE.at(site, node=COORDINATOR), OFFLINE)
    # An id of its own, not the site's: of two coordinators the later stays, and says so.
    client_id = f"{COORDINATOR}-{uuid.uuid4().hex[:12]}"
    try:
        with (
            stopped_by_signals() as stop,
            connection(broker, client_id, will=will, retry=True) as bus,
        ):
            service = Service(site, folder, bus)
            # No deployment is to wait for the placement's compiled code, and nobody for its compiler.
            threading.Thread(target=warm_up, name="warm-up").start()
            stop.calls(service.stop)
            say(f"fog-coordinator serves site {site}, state in {folder}")
            reason = service.run()
    except StateError as error:
        refuse(error)
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
    from models.bundle import BundleError, read_bundle

    check_ids(name=name, site=site)
    try:
        bundle = read_bundle(bundle_dir)
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
    """End a deployment: the fog nodes finish what is under way and forget it."""
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
    """Show the fog nodes and the deployments of a site."""
    from coordinator.fog.client import Client
    from coordinator.fog.status_table import status_tables

    check_ids(site=site)
    with connection(broker, f"status-{uuid.uuid4().hex[:12]}") as bus:
        picture = Client(bus, site).look(listen)
    if as_json:
        say_json(picture.as_json())
        return
    for table in status_tables(picture):
        console.print(table)
    for name in picture.orphans:
        say(
            f"{name}: nobody wants it any more; clear what is left: fog-coordinator undeploy {name}"
        )
    if not picture.states.get(COORDINATOR):
        say("no coordinator is running in this site; start one: fog-coordinator serve")


def _teller(*, quiet: bool) -> Any:
    def tell(status: Status) -> None:
        where = ", ".join(f"{part} on {node}" for part, node in sorted(status.placement.items()))
        if not quiet:
            say(f"{status.deployment}: {status.phase} {status.reason or where}")

    return tell
