"""What Mosquitto's dynamic security knows of a site: users, their roles, and the commands that change them; pure.

The plugin (2.0 and later) keeps its state in a JSON file and is told of changes, as JSON, on
``$CONTROL/dynamic-security/v1``. It knows no placeholders for the user's name, so every user has a
role of its own, called as the user is. Passwords are random and 256 bits long, so the few iterations
that the plugin itself would take are enough: there is nothing to guess.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from broker.access.rights import LEFT_BEHIND, Rights

CONTROL: Final = "$CONTROL/dynamic-security/v1"
RESPONSE: Final = f"{CONTROL}/response"
ADMIN: Final = "admin"
_ITERATIONS: Final = 101
_SALT_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class User:
    """Who may connect, with which client id, and what it may do then; no client id means any."""

    name: str
    password: str = field(repr=False)
    client_id: str | None
    rights: Rights


class UnknownDocumentError(ValueError):
    """A file that is not the plugin's, in one sentence without the file's name."""


def new_password() -> str:
    """Return a password that nobody guesses."""
    return secrets.token_urlsafe(32)


def administrator(site: str, password: str) -> User:
    """Return the one user who may change users; and clear what a node that was revoked left retained."""
    clears = tuple(topic.every(site) for topic in LEFT_BEHIND)
    return User(ADMIN, password, None, Rights((CONTROL, *clears), (RESPONSE,)))


def new_document(admin: User) -> dict[str, Any]:
    """Return the plugin's file for a site of which only the administrator is known.

    To give a subscription up is everybody's right: it tells nobody anything.
    """
    defaults = {
        "publishClientSend": False,
        "publishClientReceive": False,
        "subscribe": False,
        "unsubscribe": True,
    }
    empty = {"defaultACLAccess": defaults, "clients": [], "groups": [], "roles": []}
    return with_users(empty, [admin])


def users_of(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of those who may connect, the administrator left out.

    Raises:
        UnknownDocumentError: it is not the plugin's file.
    """
    if "clients" not in document:
        raise UnknownDocumentError("it lists no clients")
    return frozenset(name for name, _ in _listed(document, "clients", "username")) - {ADMIN}


def _listed(document: Mapping[str, Any], key: str, named: str) -> list[tuple[str, Any]]:
    """Return the entries of a list by their names; none where there is no such list."""
    entries = document.get(key, [])
    try:
        names = [entry[named] for entry in entries]
    except (KeyError, TypeError, IndexError):
        names = [None]
    if not all(isinstance(name, str) for name in names):
        raise UnknownDocumentError(f"{key} is not a list of what has a {named}")
    return list(zip(names, entries, strict=True))


def with_users(document: Mapping[str, Any], users: Iterable[User]) -> dict[str, Any]:
    """Return the file with some users more."""
    users = list(users)
    rest = without_users(document, [user.name for user in users])
    return {
        **rest,
        "clients": [*rest["clients"], *map(_client, users)],
        "roles": [*rest["roles"], *map(_role, users)],
    }


def without_users(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the file without some users.

    Raises:
        UnknownDocumentError: it is not the plugin's file.
    """
    gone = set(names)
    return {
        **document,
        **{
            key: [entry for name, entry in _listed(document, key, named) if name not in gone]
            for key, named in (("clients", "username"), ("roles", "rolename"))
        },
    }


def with_rights(
    document: Mapping[str, Any], rights: Callable[[str], Rights | None]
) -> dict[str, Any]:
    """Return the file with the rights that ``rights`` gives by a user's name; None: as they are.

    Raises:
        UnknownDocumentError: it is not the plugin's file.
    """
    roles = []
    for name, role in _listed(document, "roles", "rolename"):
        right = rights(name)
        roles.append(role if right is None else {**role, "acls": _acls(right)})
    return {**document, "roles": roles}


def commands_to_add(users: Iterable[User]) -> list[dict[str, Any]]:
    """Return what tells a running plugin of more users."""
    commands: list[dict[str, Any]] = []
    for user in users:
        commands += [
            {"command": "createRole", **_role(user)},
            {"command": "createClient", **_named(user), "password": user.password},
        ]
    return commands


def commands_to_remove(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return what tells a running plugin that users are gone; it ends their connections at once."""
    commands: list[dict[str, Any]] = []
    for name in names:
        commands += [
            {"command": "deleteClient", "username": name},
            {"command": "deleteRole", "rolename": name},
        ]
    return commands


def _named(user: User) -> dict[str, Any]:
    bound = {} if user.client_id is None else {"clientid": user.client_id}
    return {"username": user.name, **bound, "roles": [{"rolename": user.name}]}


def _client(user: User) -> dict[str, Any]:
    salt = secrets.token_bytes(_SALT_BYTES)
    hashed = hashlib.pbkdf2_hmac("sha512", user.password.encode(), salt, _ITERATIONS)
    return {
        **_named(user),
        "password": base64.b64encode(hashed).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": _ITERATIONS,
    }


def _role(user: User) -> dict[str, Any]:
    return {"rolename": user.name, "acls": _acls(user.rights)}


def _acls(rights: Rights) -> list[dict[str, Any]]:
    allowed = [("publishClientSend", topic) for topic in rights.writes]
    for topic in rights.reads:
        allowed += [("subscribePattern", topic), ("publishClientReceive", topic)]
    return [
        {"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in allowed
    ]
