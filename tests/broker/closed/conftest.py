"""A closed fog, its broker a process of its own, and users enrolled before it started."""

import datetime as dt
import socket
from collections.abc import Callable, Iterator

import pytest

from broker.access.join_file import ROLES, JoinFile, Role
from broker.closed.enrolment import enrol
from broker.closed.folder import ClosedFog
from broker.closed.founding import found
from broker.engine.running import RunningBroker, running_closed_broker

NOW = dt.datetime.now(dt.UTC)

Enrol = Callable[..., JoinFile]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def fog(tmp_path_factory: pytest.TempPathFactory) -> ClosedFog:
    """A closed fog of site `home`, whose join files name 127.0.0.1."""
    folder = tmp_path_factory.mktemp("closed") / "fog"
    return found(folder, "home", ["127.0.0.1"], free_port(), NOW)


@pytest.fixture(scope="module")
def enrolled(fog: ClosedFog) -> Enrol:
    """Enrols a device and returns what it was given."""

    def one(role: Role, name: str) -> JoinFile:
        return enrol(fog, role, name, fog.folder.parent / f"{role}-{name}.join")

    return one


@pytest.fixture(scope="module")
def broker(
    fog: ClosedFog, joined: dict[tuple[str, str], JoinFile], mosquitto: RunningBroker
) -> Iterator[RunningBroker]:
    """The broker of the closed fog; skipped where there is no Mosquitto."""
    assert mosquitto.engine == "mosquitto"
    assert joined
    with running_closed_broker(fog.folder) as running:
        yield running


@pytest.fixture(scope="module")
def joined(enrolled: Enrol) -> dict[tuple[str, str], JoinFile]:
    """Two of each role, enrolled while no broker runs."""
    return {
        (role, name): enrolled(role, f"{role}-{name}") for role in ROLES for name in ("one", "two")
    }
