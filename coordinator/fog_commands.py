"""The commands that talk to a fog: ``serve``, ``deploy``, ``redeploy``, ``undeploy``, ``status``, ``forget``."""

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.access.joining import Joined
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Will
from broker.command_line import (
    MOST_SECONDS,
    Json,
    check_ids,
    console,
    not_nan,
    refuse,
    say,
    say_json,
    start_log,
    state_dir,
)
from broker.ending import stopped_by_signals
from broker.join_options import connection, joins
from broker.messages import OFFLINE, Status
from broker.topics import COORDINATOR, COORDINATOR_STATE
from coordinator.answers_commands import (
    EqualAnswers,
    HomeAssistant,
    Prefix,
    SilentAfter,
    rules_of,
)

if TYPE_CHECKING:
    from coordinator.fog.client import Client
    from coordinator.fog.signer import Signer

_log = logging.getLogger("fog-coordinator")


@joins("coordinator", "ha-coordinator")
def serve(
    joined: Joined,
    folder: Annotated[
        Path | None,
        typer.Option("--state-dir", help="Where bundles and deployments are kept over restarts."),
    ] = None,
    equal_answers: EqualAnswers = 3,
    silent_after: SilentAfter = 600.0,
    home_assistant: HomeAssistant = False,
    home_assistant_prefix: Prefix = None,
) -> None:
    """Watch the fog nodes, place what is deployed, and place it anew when one dies.

    A second one stands by; in a closed fog it needs a join file of its own.

    Example: fog-coordinator serve --join fog/coordinator.join
    """
    from coordinator.fog.service import Service
    from coordinator.fog.state_folder import StateError

    start_log(service=True)
    rules = rules_of(
        joined, equal_answers, silent_after, shows=home_assistant, prefix=home_assistant_prefix
    )
    site = joined.site
    folder = state_dir(folder, f"{COORDINATOR}-{site}")
    will = Will(COORDINATOR_STATE.at(site), OFFLINE)
    # An id of its own, not the site's: of two coordinators one stands by. A join file has one id for
    # all that run with it: the second coordinator of a closed fog needs a file of its own.
    client_id = joined.client_id(f"{COORDINATOR}-{uuid.uuid4().hex[:12]}")
    with (
        stopped_by_signals() as stop,
        connection(joined, client_id, will=will, retry=True) as bus,
    ):
        try:
            service = Service(site, folder, bus, operator_key=joined.operator_key, rules=rules)
            stop.calls(service.stop)
            tell_of_broker(bus, f"site {site}, state in {folder}")
            reason = service.run()
        except StateError as error:
            refuse(error)
        except Exception as error:  # noqa: BLE001  one line for people, never exit code 0
            _log.debug("ended", exc_info=error)
            refuse(f"fog-coordinator ended by a mistake of ours: {error!r}", 1)
    if reason:
        refuse(reason)


def tell_of_broker(bus: MqttBus, what: str) -> None:
    """Say that the broker is waited for, and once it is there that ``what`` is looked after."""
    say(f"fog-coordinator: waiting for the broker at {bus.url}; {what}")
    told = False

    def tell(there: bool) -> None:
        nonlocal told
        if there and not told:
            told = True
            say(f"fog-coordinator: connected to {bus.url}; ready for {what}")

    bus.on_connection(tell)


@contextmanager
def _talk(joined: Joined, command: str) -> Iterator["Client"]:
    """Yield what talks to the coordinator; what does not come about is one plain line."""
    from coordinator.fog.client import Client, DeploymentError

    client_id = joined.client_id(f"{command}-{uuid.uuid4().hex[:12]}")
    with connection(joined, client_id) as bus:
        try:
            yield Client(bus, joined.site, joined.device)
        except DeploymentError as error:
            refuse(error, 1)


Wait = Annotated[bool, typer.Option("--wait", help="Return when it serves.")]
Timeout = Annotated[
    float,
    typer.Option(min=1, max=MOST_SECONDS, callback=not_nan, help="Seconds to wait with --wait."),
]


Key = Annotated[
    Path | None,
    typer.Option("--key", help="The operator's key: sign it, so that enrolled fog nodes run it."),
]
Days = Annotated[
    int,
    typer.Option(
        "--valid-days",
        min=1,
        max=36_500,
        help="How long the signature is good; what serves goes on.",
    ),
]


@joins("operator", signs=True)
def deploy(
    joined: Joined,
    bundle_dir: Annotated[Path, typer.Argument(help="A bundle folder that `train` made.")],
    name: Annotated[str, typer.Option(help="What the cameras call it.")],
    wait: Wait = False,
    timeout: Timeout = 120.0,
    key: Key = None,
    valid_days: Days = 365,
    as_json: Json = False,
) -> None:
    """Hand a bundle to the coordinator, who places it on the fog nodes.

    Example: fog-coordinator deploy digits --name digits --join fog/operator.join --key fog/operator.key --wait
    """
    from coordinator.fog.runnable import check_runnable
    from models.bundle import BundleError, read_bundle

    check_ids(name=name)
    try:
        bundle = read_bundle(bundle_dir)
        check_runnable(bundle, bundle_dir)
    except BundleError as error:
        refuse(error)
    signer = _signer(key, valid_days)
    with _talk(joined, "deploy") as client:
        status = client.deploy(
            bundle,
            bundle_dir,
            name,
            wait_s=timeout if wait else None,
            tell=_teller(quiet=as_json),
            signer=signer,
        )
    if as_json:
        say_json(status.model_dump())


@joins("operator", signs=True)
def redeploy(
    joined: Joined,
    name: Annotated[str, typer.Argument(help="The deployment.")],
    wait: Wait = False,
    timeout: Timeout = 120.0,
    key: Key = None,
    valid_days: Days = 365,
    as_json: Json = False,
) -> None:
    """Place a deployment anew on the fog nodes of now; no frame is lost by it."""
    check_ids(name=name)
    signer = _signer(key, valid_days)
    with _talk(joined, "deploy") as client:
        status = client.redeploy(
            name,
            wait_s=timeout if wait else None,
            tell=_teller(quiet=as_json),
            signer=signer,
        )
    if as_json:
        say_json(status.model_dump())


@joins("operator")
def undeploy(
    joined: Joined,
    name: Annotated[str, typer.Argument(help="The deployment.")],
    as_json: Json = False,
) -> None:
    """End a deployment: the fog nodes finish what is in flight and forget it."""
    check_ids(name=name)
    with _talk(joined, "deploy") as client:
        client.undeploy(name)
    if as_json:
        say_json({"deployment": name, "undeployed": True})
    else:
        say(f"{name}: undeployed")


@joins("operator", "reader")
def status(
    joined: Joined,
    listen: Annotated[
        float,
        typer.Option(min=0.1, max=MOST_SECONDS, callback=not_nan, help="Seconds to listen."),
    ] = 1.5,
    as_json: Json = False,
) -> None:
    """Show what serves, what is degraded, since when and why; and the fog nodes.

    Example: fog-coordinator status --join fog/operator.join
    """
    from coordinator.fog.status_lines import status_lines
    from coordinator.fog.status_table import status_tables

    with _talk(joined, "status") as client:
        snapshot = client.look(listen)
    now = time.monotonic()
    if as_json:
        say_json(snapshot.as_json(now))
        return
    unix_s = time.time()
    for line in status_lines(snapshot, now, unix_s):
        console.print(line, soft_wrap=True)
    for table in status_tables(snapshot, now, unix_s):
        console.print(table)


@joins("operator")
def forget(
    joined: Joined,
    node: Annotated[str, typer.Argument(help="A fog node that is gone, or was mistyped.")],
    as_json: Json = False,
) -> None:
    """Clear what a fog node that is gone left behind; one that is online is left alone."""
    check_ids(node=node)
    with _talk(joined, "forget") as client:
        cleared = client.forget(node)
    if as_json:
        say_json({"node": node, "cleared": cleared})
    else:
        say(f"{node}: forgotten; cleared its {', '.join(cleared)}")


def _signer(key: Path | None, valid_days: int) -> "Signer | None":
    """Return who signs, or None where nobody does; a file that is no key is refused."""
    from broker.access.operator_key import KeyFileError, read_key
    from broker.access.private_file import PrivateFileError
    from coordinator.fog.signer import Signer

    try:
        return None if key is None else Signer(read_key(key), valid_days)
    except (KeyFileError, PrivateFileError) as error:
        refuse(f"--key: {error}")


def _teller(*, quiet: bool) -> Any:
    def tell(status: Status) -> None:
        where = ", ".join(f"{part} on {node}" for part, node in sorted(status.placement.items()))
        if not quiet:
            why = status.reason or where
            say(f"{status.deployment}: {status.phase}{': ' if why else ''}{why}")

    return tell
