"""What the entries of ``cameras.yaml`` come to, with the files and variables that they refer to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.access.joining import Given, Joined
from broker.command_line import warn
from fog_node.camera.cameras_file import CameraEntry, CamerasFile, check_sources
from fog_node.camera.source_broker import PASSWORD, SourceBroker, read_authority
from fog_node.sources.named import NAMES
from fog_node.sources.opening import is_live


@dataclass(frozen=True, slots=True)
class Planned:
    """One entry with all that stands elsewhere: its source, its own way to the broker, its secrets.

    ``name`` is the camera's id, empty where the wildcards of a topic filter name several.
    """

    entry: CameraEntry
    source: str
    name: str
    joined: Joined | None
    broker: SourceBroker | None
    ca: str | None


def plan(file: CamerasFile, folder: Path, environment: Mapping[str, str]) -> list[Planned]:
    """Return what to run; paths in the file are relative to ``folder``, which it lies in.

    Raises:
        ValueError: a file or a variable is missing or wrong; one sentence that names the field.
    """
    planned = [
        _planned(folder, f"cameras.{number}", entry, environment)
        for number, entry in enumerate(file.cameras)
    ]
    check_sources([(each.source, each.entry.source_broker) for each in planned])
    return planned


def check_shared(planned: list[Planned], device: str | None) -> None:
    """Refuse a camera that cannot share the connection of the others: in a closed fog it is of ``device``.

    Raises:
        ValueError: there is one.
    """
    for number, each in enumerate(planned):
        if device is not None and each.joined is None and each.name != device:
            raise ValueError(
                f"cameras.{number}: the join file is of {device}; give this camera one of its own, by join"
            )


def _planned(
    folder: Path, where: str, entry: CameraEntry, environment: Mapping[str, str]
) -> Planned:
    """Return an entry with what it refers to; paths are relative to ``folder``.

    Raises:
        ValueError: a file or a variable is missing or wrong; one sentence that names the field.
    """
    source = _source(folder, where, entry, environment)
    try:
        joined = None
        if entry.join is not None:
            joined = Joined.of(Given(join=folder / entry.join), ("camera",), {})
            if joined.exposed:
                warn(joined.exposed)
        name = joined.own_id(entry.id) if joined else entry.id or ""
    except ValueError as error:
        raise ValueError(f"{where}.join: {str(error).replace('--id', 'id')}") from None
    try:
        ca = None if entry.source_ca is None else read_authority(folder / entry.source_ca)
    except ValueError as error:
        raise ValueError(f"{where}.source_ca: {error}") from None
    broker = None
    if entry.source_broker is not None:
        variable = entry.source_password_env or PASSWORD
        if entry.source_password_env is not None and not environment.get(variable):
            raise ValueError(f"{where}.source_password_env: {variable} is not set")
        file = entry.source_password_file
        password_file = None if file is None else folder / file
        try:
            broker = SourceBroker.of(entry.source_broker, password_file, ca, environment, variable)
        except ValueError as error:
            raise ValueError(f"{where}.source_broker: {error}") from None
    return Planned(entry, source, name, joined, broker, ca)


def _source(folder: Path, where: str, entry: CameraEntry, environment: Mapping[str, str]) -> str:
    source = entry.source
    if source is None:
        source = environment.get(entry.source_env or "")
        if not source:
            raise ValueError(f"{where}.source_env: {entry.source_env} is not set")
        try:
            entry.checked(source)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    return source if is_live(source) or source in NAMES else str(folder / source)
