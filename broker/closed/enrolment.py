"""Enrols devices in a closed fog, and revokes them, whether its broker runs or not.

Where it runs, it is told over its control topic and keeps that in its file; where it does not, the
file is edited, and the lock keeps it from being started meanwhile.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from broker.access.credentials import Credentials
from broker.access.join_file import JoinFile, Role
from broker.access.rights import client_id_of, parties_of, rights_of, user_of
from broker.bus.mqtt import MqttBus
from broker.closed.control import Control
from broker.closed.dynamic_security import (
    ADMIN,
    UnknownDocumentError,
    User,
    commands_to_add,
    commands_to_remove,
    new_password,
    users_of,
    with_users,
    without_users,
)
from broker.closed.folder import ClosedFog, ClosedFogError
from broker.closed.lock import Lock
from broker.engine.address import reachable_host

_OTHERS_S: Final = 10.0
"""How long another command on the same folder is waited for."""
_START_S: Final = 5.0
_SHARED_TOPICS: Final[dict[Role, Role]] = {"operator": "reader", "reader": "operator"}
"""Roles that write topics of one name: their ids are to differ."""


class Users(Protocol):
    """Who may connect to a broker, to be looked at and changed."""

    def names(self) -> frozenset[str]:
        """Return the names of all users but the administrator's."""

    def add(self, users: list[User]) -> None:
        """Let users connect."""

    def remove(self, names: list[str], forget_node: str | None) -> None:
        """Keep users from connecting, end their connections, and clear what a node left retained."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """Whom :func:`revoke` kept out, and whether a broker was running to be told."""

    role: str
    name: str
    running: bool


def enrol(fog: ClosedFog, role: Role, name: str, out: Path | None) -> JoinFile:
    """Enrol a device and write its join file to ``out``; None: nowhere.

    Raises:
        ClosedFogError: the name is taken, the folder cannot be used, or its broker not be told.
        ControlError: the broker did not do it.
        JoinFileError: the file is there already, or cannot be written.
    """
    site = fog.settings.site
    joined = JoinFile(
        role=role,
        id=name,
        site=site,
        broker=fog.url,
        user=user_of(role, name),
        password=new_password(),
        ca=fog.authority_pem,
        operator_key=fog.settings.operator_key,
    )
    users = [
        User(
            user_of(party, name),
            joined.password,
            client_id_of(site, party, name),
            rights_of(party, name, site),
        )
        for party in parties_of(role)
    ]
    with _users(fog) as (known, _):
        names = known.names()
        if joined.user in names:
            raise ClosedFogError(
                f"{role} {name} is enrolled already; if its file is lost: "
                f"fog-broker revoke {joined.user} --dir {fog.folder}, then enrol it again"
            )
        other = _SHARED_TOPICS.get(role)
        if other is not None and user_of(other, name) in names:
            raise ClosedFogError(
                f"{user_of(other, name)} is enrolled; operators and readers need ids of their own"
            )
        if out is not None and out.exists():
            raise ClosedFogError(f"{out} is there already; remove it, or give --out FILE")
        if out is None:
            known.add(users)
            return joined
        joined.write(out)
        try:
            known.add(users)
        except BaseException:
            out.unlink(missing_ok=True)
            raise
    return joined


def revoke(fog: ClosedFog, name: str) -> Revoked:
    """Keep a device out, at once where a broker runs; ``name`` is its id, or ``ROLE/ID``.

    Raises:
        ClosedFogError: nobody is called so, or several are, or the folder cannot be used.
        ControlError: the broker did not do it.
    """
    with _users(fog) as (known, running):
        names = known.names()
        devices = sorted(each for each in names if not each.startswith("ask/"))
        found = [each for each in devices if name in (each, each.partition("/")[2])]
        if not found:
            listed = ", ".join(devices) or "nobody"
            raise ClosedFogError(f"nobody called {name} is enrolled; enrolled: {listed}")
        if len(found) > 1:
            raise ClosedFogError(f"{name} is {' and '.join(found)}; say which of them")
        role, _, own = found[0].partition("/")
        gone = [each for each in (found[0], f"ask/{own}") if each in names]
        is_node = role == "node"
        known.remove(gone if is_node else found, own if is_node else None)
    return Revoked(role, own, running)


@contextmanager
def _users(fog: ClosedFog) -> Iterator[tuple[Users, bool]]:
    """Yield the users and whether a broker runs; one command at a time changes them."""
    with _held(fog.users_lock, _OTHERS_S) as one:
        if one is None:
            raise ClosedFogError(f"another command works on {fog.folder}; wait for it to end")
        with _held(fog.lock) as lock:
            if lock is not None:
                yield _Filed(fog), False
                return
        with _administrator(fog) as bus:
            yield _Running(fog, Control(bus)), True


@contextmanager
def _held(path: Path, wait_s: float = 0.0) -> Iterator[Lock | None]:
    try:
        lock = Lock.take(path, wait_s)
    except OSError as error:
        raise ClosedFogError(f"{path}: {error.strerror}") from None
    try:
        yield lock
    finally:
        if lock is not None:
            lock.free()


@contextmanager
def _administrator(fog: ClosedFog) -> Iterator[MqttBus]:
    """Yield a connection to the broker that runs on this folder, and on this machine."""
    host = reachable_host(fog.lock.read_text(encoding="utf-8").strip() or "127.0.0.1")
    bracketed = f"[{host}]" if ":" in host else host
    bus = MqttBus.connect(
        f"mqtts://{bracketed}:{fog.settings.port}",
        f"{fog.settings.site}/{ADMIN}/{secrets.token_hex(6)}",
        credentials=Credentials(ADMIN, fog.admin_password, fog.authority_pem),
        timeout=_START_S,
    )
    try:
        yield bus
    finally:
        bus.close()


class _Filed:
    """The users in the file of a broker that does not run."""

    def __init__(self, fog: ClosedFog) -> None:
        self._fog = fog

    def names(self) -> frozenset[str]:
        with self._readable():
            return users_of(self._fog.read_users())

    def add(self, users: list[User]) -> None:
        self._change(lambda document: with_users(document, users))

    def remove(self, names: list[str], forget_node: str | None) -> None:
        del forget_node  # nothing is retained over a restart
        self._change(lambda document: without_users(document, names))

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        with self._readable():
            changed = change(self._fog.read_users())
        self._fog.write_users(changed)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except UnknownDocumentError as error:
            raise ClosedFogError(f"{self._fog.users}: {error}") from None


class _Running:
    """The users of a broker that runs."""

    def __init__(self, fog: ClosedFog, control: Control) -> None:
        self._fog, self._control = fog, control

    def names(self) -> frozenset[str]:
        return self._control.users()

    def add(self, users: list[User]) -> None:
        self._control.perform(commands_to_add(users))

    def remove(self, names: list[str], forget_node: str | None) -> None:
        self._control.perform(commands_to_remove(names))
        if forget_node is not None:
            self._control.clear(self._fog.settings.site, forget_node)
