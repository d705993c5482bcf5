"""All topics of the protocol, each bound to its payload; nobody else writes a topic.

Whoever writes is named in the topic, so that one access rule a role is enough.

Every topic stands under ``fog/v2/<site>/``, but those of Home Assistant, who names them. Names filled into a pattern are portable ids
(``[a-z0-9-]``), or tensor names escaped by :func:`escape`, so that Mosquitto, NATS and AWS IoT
Core all bear them. ``docs/protocol.md`` lists the same table, and a test compares the two.
"""

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

PROTOCOL_VERSION: Final = 2
HOME_ASSISTANT: Final = "homeassistant"
"""The prefix under which Home Assistant looks for devices, unless it was told another."""
COORDINATOR: Final = "coordinator"
"""What the coordinator is called in client ids and state folders."""
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class InvalidIdError(ValueError):
    """A name that no topic can carry."""

    def __init__(self, field: str, value: str) -> None:
        self.field, self.value = field, value
        super().__init__(
            f"{field}: {value!r} is not an id; use 1 to 64 of a-z, 0-9 and '-', "
            "neither first nor last a '-'"
        )


def check_id(field: str, value: str) -> str:
    """Return ``value`` if it is a portable id, else raise :class:`InvalidIdError`."""
    if not _ID.fullmatch(value):
        raise InvalidIdError(field, value)
    return value


def escape(name: str) -> str:
    """Return ``name`` as one topic level: percent-encoded, dots and tildes included."""
    return quote(name, safe="").replace(".", "%2E").replace("~", "%7E")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic pattern such as ``node/{node}/state``, its payload and whether it is retained.

    ``outside``: it is another program's, and stands under no site.
    """

    pattern: str
    payload: str
    retained: bool
    outside: bool = False

    def at(self, site: str, **names: str) -> str:
        """Return the topic with every name filled in."""
        return f"{self._root(site)}{self.pattern.format(**names)}"

    def every(self, site: str, **names: str) -> str:
        """Return the filter that matches the topic for all values of the names left out."""
        levels = []
        for level in self.pattern.split("/"):
            name = level[1:-1] if level.startswith("{") else None
            levels.append(level if name is None else names.get(name, "+"))
        return f"{self._root(site)}{'/'.join(levels)}"

    def under(self, prefix: str) -> "Topic":
        """Return a topic of Home Assistant's where it was told another prefix than its own."""
        return replace(self, pattern=prefix + self.pattern.removeprefix(HOME_ASSISTANT))

    def _root(self, site: str) -> str:
        return "" if self.outside else f"fog/v{PROTOCOL_VERSION}/{site}/"

    def names(self, topic: str) -> dict[str, str] | None:
        """Return the names that ``topic`` fills in, or None if it is another topic."""
        levels, pattern = topic.split("/"), self.pattern.split("/")
        if not self.outside:
            del levels[:3]
        if len(levels) != len(pattern):
            return None
        found: dict[str, str] = {}
        for level, wanted in zip(levels, pattern, strict=True):
            if wanted.startswith("{"):
                found[wanted[1:-1]] = level
            elif level != wanted:
                return None
        return found


NODE_STATE = Topic("node/{node}/state", "online or offline", retained=True)
NODE_INFO = Topic("node/{node}/info", "NodeInfo", retained=True)
NODE_REPORT = Topic("node/{node}/report", "Report", retained=True)
NODE_BEAT = Topic("node/{node}/beat", "Beat", retained=False)
NODE_GET = Topic("node/{node}/get", "ArtifactRequest", retained=False)
NODE_GIVE = Topic("node/{node}/give", "chunk", retained=False)
NODE_ECHO = Topic("node/{node}/echo", "bytes", retained=False)
NODE_SINK = Topic("node/{node}/sink", "bytes", retained=False)
NODE_ASSIGNMENT = Topic("node/{node}/assignment", "Assignment", retained=True)
NODE_ARTIFACT = Topic("node/{node}/artifact", "chunk", retained=False)
COORDINATOR_STATE = Topic("coordinator/state", "online or offline", retained=True)
COORDINATOR_BEAT = Topic("coordinator/beat", "CoordinatorBeat", retained=False)
COORDINATOR_GET = Topic("coordinator/get", "ArtifactRequest", retained=False)
CLIENT_ECHO = Topic("client/{client}/echo", "bytes", retained=False)
CLIENT_GIVE = Topic("client/{client}/give", "chunk", retained=False)
SPEC = Topic("deployment/{deployment}/spec", "Spec", retained=True)
ACTIVE = Topic("deployment/{deployment}/active", "Active", retained=True)
STATUS = Topic("deployment/{deployment}/status", "Status", retained=True)
STATE = Topic("state/{deployment}/{camera}", "State", retained=True)
PICTURE = Topic("picture/{deployment}/{camera}", "picture", retained=True)
HOME_ASSISTANT_CONFIG = Topic(
    f"{HOME_ASSISTANT}/device/{{device}}/config", "discovery", retained=True, outside=True
)
HOME_ASSISTANT_STATUS = Topic(
    f"{HOME_ASSISTANT}/status", "online or offline", retained=False, outside=True
)
FRAME = Topic("frame/{deployment}/{camera}", "frame", retained=False)
TENSOR = Topic("tensor/{deployment}/{epoch}/{node}/{tensor}", "tensor", retained=False)
RESULT = Topic("result/{deployment}/{camera}/{node}", "Result", retained=False)

TOPICS: Final = (
    NODE_STATE,
    NODE_INFO,
    NODE_REPORT,
    NODE_BEAT,
    NODE_GET,
    NODE_GIVE,
    NODE_ECHO,
    NODE_SINK,
    NODE_ASSIGNMENT,
    NODE_ARTIFACT,
    COORDINATOR_STATE,
    COORDINATOR_BEAT,
    COORDINATOR_GET,
    CLIENT_ECHO,
    CLIENT_GIVE,
    SPEC,
    ACTIVE,
    STATUS,
    STATE,
    PICTURE,
    HOME_ASSISTANT_CONFIG,
    HOME_ASSISTANT_STATUS,
    FRAME,
    TENSOR,
    RESULT,
)


def pattern_of(topic: str) -> str:
    """Return the pattern that a topic, or a filter, of any site is of; itself if it is of none."""
    for known in TOPICS:
        if known.names(topic) is not None:
            return known.pattern
    return topic
