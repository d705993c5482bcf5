"""How the parts of a demo get into the fog: anyone into an open one, by join files into a closed one."""

import datetime as dt
from pathlib import Path
from typing import Final, Protocol

from broker.access.join_file import JoinFile, Role
from broker.access.rights import client_id_of
from broker.bus.mqtt import MqttBus
from broker.closed.enrolment import enrol
from broker.closed.founding import found
from broker.engine.address import free_port

LOOPBACK: Final = "127.0.0.1"


class WaysIn(Protocol):
    """What a part is started with; ``port`` is that of its relay, None: straight to the broker."""

    broker_options: tuple[str, ...]
    """What ``fog-broker run`` is to be started with."""
    signing: tuple[str, ...]
    """What ``deploy`` is to be started with besides."""

    def options(self, role: Role, name: str, broker_port: int, port: int | None) -> tuple[str, ...]:
        """Return the options by which a part joins."""

    def bus(self, role: Role, name: str, broker_port: int) -> MqttBus:
        """Return a connection with the rights of a role."""


class Open:
    """Anybody may do anything."""

    signing: tuple[str, ...] = ()

    def __init__(self, engine: str, site: str, settings: Path | None) -> None:
        self._site = site
        self.broker_options: tuple[str, ...] = (
            ("--engine", engine) if settings is None else ("--conf", str(settings))
        )

    def options(self, role: Role, name: str, broker_port: int, port: int | None) -> tuple[str, ...]:
        """Return the broker's address, and a device's id."""
        address = ("--broker", f"mqtt://{LOOPBACK}:{port or broker_port}", "--site", self._site)
        return (*address, "--id", name) if role in ("node", "camera") else address

    def bus(self, role: Role, name: str, broker_port: int) -> MqttBus:
        """Return a connection."""
        del role  # anybody may do anything
        return MqttBus.connect(f"mqtt://{LOOPBACK}:{broker_port}", name)


class Closed:
    """Everybody has a file, and the rights of its role; what is deployed is signed."""

    def __init__(self, folder: Path, site: str) -> None:
        port = free_port(LOOPBACK, 0)
        self.fog = found(folder / "fog", site, [LOOPBACK], port, dt.datetime.now(dt.UTC))
        self._files = folder / "join-files"
        self._files.mkdir()
        self.broker_options: tuple[str, ...] = ("--dir", str(self.fog.folder))
        self.signing: tuple[str, ...] = ("--key", str(self.fog.folder / "operator.key"))

    def options(self, role: Role, name: str, broker_port: int, port: int | None) -> tuple[str, ...]:
        """Return the join file of a part, which is enrolled if it was not."""
        del broker_port  # it stands in the file
        file = self._path(role, name)
        if not file.exists():
            joined = self.enrolled(role, name)
            if port is not None:
                relayed = f"mqtts://{LOOPBACK}:{port}"
                joined = joined.model_copy(update={"broker": relayed})
            joined.write(file)
        return "--join", str(file)

    def file(self, role: Role, name: str) -> JoinFile:
        """Return what the file of a part says that joined."""
        return JoinFile.read(self._path(role, name), role)

    def _path(self, role: Role, name: str) -> Path:
        return self._files / f"{role}-{name}.join"

    def enrolled(self, role: Role, name: str) -> JoinFile:
        """Enrol a device and return what its file says."""
        return enrol(self.fog, role, name, None)

    def bus(self, role: Role, name: str, broker_port: int) -> MqttBus:
        """Return the connection of a device that is enrolled for it."""
        del broker_port
        joined = self.enrolled(role, name)
        client_id = client_id_of(joined.site, joined.role, joined.id)
        return MqttBus.connect(joined.broker, client_id, credentials=joined.credentials)
