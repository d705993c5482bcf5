"""Who may write and read which topic of a closed fog: the whole matrix.

Whoever writes is named in the topic, and may write there as itself alone: where a topic has a level
for the id of a node, a camera or a client, that level is the writer's own. Whoever needs another
right than these is asking for another matrix: change it here, and in ``docs/security.md``, which a
test holds to it. Nobody hears ``#``, ``$SYS`` or a shared subscription.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from broker.access.join_file import Role
from broker.topics import (
    ACTIVE,
    CLIENT_ECHO,
    CLIENT_GIVE,
    COORDINATOR_BEAT,
    COORDINATOR_GET,
    COORDINATOR_STATE,
    FRAME,
    HOME_ASSISTANT_CONFIG,
    HOME_ASSISTANT_STATUS,
    NODE_ARTIFACT,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_ECHO,
    NODE_GET,
    NODE_GIVE,
    NODE_INFO,
    NODE_REPORT,
    NODE_SINK,
    NODE_STATE,
    PICTURE,
    RESULT,
    SPEC,
    STATE,
    STATUS,
    TENSOR,
    Topic,
)

Party = Literal[
    "coordinator",
    "ha-coordinator",
    "node",
    "ask",
    "camera",
    "operator",
    "reader",
    "home-assistant",
]
"""Who connects: the roles, and ``ask``, as whom a fog node looks for a namesake before it starts."""
PARTIES: Final[tuple[Party, ...]] = get_args(Party)

OWN_LEVEL: Final[Mapping[Party, str]] = {
    "node": "node",
    "ask": "node",
    "camera": "camera",
    "operator": "client",
    "reader": "client",
}
"""The level of a topic that names such a party; the coordinator speaks for the site."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may write a topic, who may read it where it is their own, and who may read everybody's."""

    writes: tuple[Party, ...] = ()
    reads_own: tuple[Party, ...] = ()
    reads: tuple[Party, ...] = ()


_COORDINATORS: Final[tuple[Party, ...]] = ("coordinator", "ha-coordinator")
"""Only one that shows the site to Home Assistant sees pictures."""
_WATCHERS: Final[tuple[Party, ...]] = (*_COORDINATORS, "operator", "reader")
_SHOWN: Final[tuple[Party, ...]] = (*_WATCHERS, "home-assistant")

MATRIX: Final[Mapping[Topic, Access]] = {
    NODE_STATE: Access(("node",), ("node", "ask"), _WATCHERS),
    NODE_INFO: Access(("node",), ("node",), _WATCHERS),
    NODE_REPORT: Access(("node",), ("node",), (*_COORDINATORS, "operator")),
    NODE_BEAT: Access(("node",), ("ask",), _WATCHERS),
    NODE_GET: Access(("node",), (), _COORDINATORS),
    NODE_GIVE: Access(("node",), (), _COORDINATORS),
    NODE_ECHO: Access(("node", "ask"), ("node", "ask")),
    NODE_SINK: Access(("node",)),
    NODE_ASSIGNMENT: Access(_COORDINATORS, ("node",), (*_COORDINATORS, "operator")),
    NODE_ARTIFACT: Access(_COORDINATORS, ("node",)),
    COORDINATOR_STATE: Access(_COORDINATORS, (), _SHOWN),
    COORDINATOR_BEAT: Access(_COORDINATORS, (), _WATCHERS),
    COORDINATOR_GET: Access(_COORDINATORS, (), ("node", "operator")),
    CLIENT_ECHO: Access(("operator", "reader"), ("operator", "reader")),
    CLIENT_GIVE: Access(("operator",), (), _COORDINATORS),
    SPEC: Access((*_COORDINATORS, "operator"), (), _WATCHERS),
    ACTIVE: Access(_COORDINATORS, (), ("camera", *_WATCHERS)),
    STATUS: Access(_COORDINATORS, (), ("camera", *_WATCHERS)),
    STATE: Access(_COORDINATORS, (), _SHOWN),
    PICTURE: Access(("ha-coordinator",), (), ("home-assistant",)),
    HOME_ASSISTANT_CONFIG: Access(("ha-coordinator",), (), ("home-assistant",)),
    HOME_ASSISTANT_STATUS: Access(("home-assistant",), (), ("ha-coordinator",)),
    FRAME: Access(("camera",), (), ("ha-coordinator", "node")),
    TENSOR: Access(("node",), (), ("node",)),
    RESULT: Access(("node",), ("camera",), ("node", *_WATCHERS)),
}

LEFT_BEHIND: Final = (NODE_STATE, NODE_INFO, NODE_REPORT, NODE_ASSIGNMENT)
"""What stays retained of a fog node that is gone; ``fog-broker revoke`` clears it."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one user may do: topic filters without ``#``."""

    writes: tuple[str, ...]
    reads: tuple[str, ...]


def rights_of(party: Party, name: str, site: str) -> Rights:
    """Return the rights of the device ``name``."""
    level = OWN_LEVEL.get(party)
    own = {} if level is None else {level: name}
    writes, reads = [], []
    for topic, access in MATRIX.items():
        if party in access.writes:
            writes.append(topic.every(site, **own))
        if party in access.reads:
            reads.append(topic.every(site))
        elif party in access.reads_own:
            reads.append(topic.every(site, **own))
    return Rights(tuple(writes), tuple(reads))


def parties_of(role: Role) -> tuple[Party, ...]:
    """Return as whom a device of a role connects."""
    return (role, "ask") if role == "node" else (role,)


def user_of(party: Party, name: str) -> str:
    """Return the user name of a device: the client id without the site."""
    return f"{party}/{name}"


def client_id_of(site: str, party: Party, name: str) -> str:
    """Return the one client id that a user may connect with: nobody ends another's connection."""
    return f"{site}/{user_of(party, name)}"
