"""``fog-broker init``, ``enrol``, ``revoke``: from an open fog to a closed one."""

import datetime as dt
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from broker.access.join_file import JoinFileError, Role
from broker.bus.seam import BusError
from broker.closed.authority import ClockError, is_host
from broker.closed.control import ControlError
from broker.closed.enrolment import enrol as enrol_in
from broker.closed.enrolment import revoke as revoke_in
from broker.closed.folder import ClosedFog, ClosedFogError
from broker.closed.founding import found
from broker.command_line import Json, check_ids, refuse, say, say_json

_REFUSALS: Final = (ClosedFogError, ControlError, ClockError, JoinFileError, BusError)

Folder = Annotated[Path, typer.Option("--dir", help="The folder that `init` made.")]


class RoleName(StrEnum):
    """What a device is in the fog."""

    NODE = "node"
    CAMERA = "camera"
    READER = "reader"
    OPERATOR = "operator"
    COORDINATOR = "coordinator"
    HA_COORDINATOR = "ha-coordinator"
    HOME_ASSISTANT = "home-assistant"


_OF_THIS_MACHINE: Final[dict[Role, str]] = {"coordinator": "main", "operator": "me"}
"""Who is enrolled from the first, by role: their join files lie in the fog's folder."""

_JOINS: Final[dict[Role, str]] = {
    "node": "fog-node run --join {file}",
    "camera": "fog-camera stream --join {file} --deployment NAME --source webcam:0",
    "reader": "fog-coordinator status --join {file}",
    "operator": "fog-coordinator deploy BUNDLE_DIR --name NAME --join {file} --key {key}",
    "coordinator": "fog-coordinator serve --join {file}",
    "ha-coordinator": "fog-coordinator serve --home-assistant --join {file}",
    "home-assistant": "a bridge of its broker with the user, password and authority of {file}; "
    "docs/home-assistant.md has the lines",
}


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    site: Annotated[str, typer.Option(help="The site's name, for example home.")],
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="A name or address at which devices find this machine; may be given again, "
            "and the first goes into join files. Default: this machine's address."
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8883,
    as_json: Json = False,
) -> None:
    """Make what a closed fog needs: its own authority, the broker's certificate, the operator's key.

    The coordinator and the operator are enrolled from the first: their join files lie in DIR.

    Example: fog-broker init fog --site home
    """
    check_ids(site=site)
    for name in host or []:
        if not is_host(name):
            refuse(f"--host: {name!r} is neither a name nor an address")
    try:
        fog = found(folder, site, host or [], port, dt.datetime.now(dt.UTC))
        for role, name in _OF_THIS_MACHINE.items():
            enrol_in(fog, role, name, folder / f"{role}.join")
    except _REFUSALS as error:
        refuse(error)
    if as_json:
        key = fog.settings.operator_key
        say_json({"dir": str(folder), "site": site, "broker": fog.url, "operator_key": key})
        return
    elsewhere = "" if host else "; if they know it by another name, init with --host NAME"
    say(
        f"closed fog {site} in {folder}; devices find its broker at {fog.url}{elsewhere}",
        f"whoever has {folder} has the fog: keep it here, and a copy where nobody else comes",
        f"next: fog-broker run --dir {folder}",
        f"      fog-coordinator serve --join {folder}/coordinator.join",
        "then one file for each device, for example:",
        f"      fog-broker enrol node pi-hall --dir {folder}",
        f"      fog-broker enrol camera door --dir {folder}",
        f"and deploy with --join {folder}/operator.join --key {folder}/operator.key",
    )


def enrol(
    role: Annotated[RoleName, typer.Argument(help="What the device is in the fog.")],
    name: Annotated[str, typer.Argument(metavar="ID", help="Its name, for example pi-hall.")],
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write, or - to print it; default: ID.join here."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a device join, and write the one file that it needs; the broker may run meanwhile.

    Example: fog-broker enrol node pi-hall --dir fog --out - | ssh pi-hall 'umask 077; cat > pi-hall.join'
    """
    check_ids(ID=name)
    printed = str(out) == "-"
    if printed and sys.stdout.isatty():
        refuse("--out -: a join file holds a password, so none is printed to a terminal; pipe it")
    file = out or Path(f"{name}.join")
    try:
        fog = ClosedFog.read(folder)
        joined = enrol_in(fog, role.value, name, None if printed else file)
    except _REFUSALS as error:
        refuse(error)
    if printed:
        typer.echo(joined.model_dump_json(indent=2))
        return
    if as_json:
        said = {"role": joined.role, "id": name, "site": joined.site, "broker": joined.broker}
        say_json({**said, "file": str(file)})
        return
    command = _JOINS[joined.role].format(file=file, key=folder / "operator.key")
    say(
        f"{joined.role} {name} is enrolled; {file} holds its password: bring it there by a safe way "
        f"(scp), and leave no copy",
        f"there: {command}",
    )


def revoke(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Its name; where two have it, ROLE/ID.")
    ],
    folder: Folder,
    as_json: Json = False,
) -> None:
    """Keep a device out of the fog from now on, and cut it off if it is in it.

    Example: fog-broker revoke pi-hall --dir fog
    """
    try:
        gone = revoke_in(ClosedFog.read(folder), name)
    except _REFUSALS as error:
        refuse(error)
    if as_json:
        say_json({"role": gone.role, "id": gone.name, "running": gone.running})
        return
    now = (
        "it is cut off" if gone.running else "no broker runs here, and the next lets it in no more"
    )
    say(f"{gone.role} {gone.name} is revoked: {now}")
