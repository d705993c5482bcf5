"""Who attacks and who listened before: anybody in an open fog, devices that were stolen in a closed one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.chaos.stage import SITE, Stage
from benchmarks.hostile.flood import Flood
from broker.access.credentials import NOBODY, Credentials
from broker.access.join_file import JoinFile, Role
from broker.access.rights import OWN_LEVEL, client_id_of, rights_of
from broker.bus.mqtt import MqttBus
from broker.bus.url import BrokerUrl
from broker.topics import TOPICS
from coordinator.demo.ways_in import LOOPBACK, Closed

_SPIES: Final[tuple[Role, ...]] = ("coordinator", "node", "operator")
"""Together they hear all that anybody may."""
_THIEF: Final = "thief"


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody who can connect, again and again; ``own`` are the names that it may write under."""

    url: str
    client_id: str
    credentials: Credentials = NOBODY
    own: dict[str, str] = field(default_factory=dict)

    def connect(self) -> Flood:
        """Return a new connection."""
        return Flood(BrokerUrl.parse(self.url), self.client_id, self.credentials)


def stolen(stage: Stage) -> list[str]:
    """Return the nodes whose files the attackers have: the last one of a closed fog."""
    return stage.setting.node_names[-1:] if isinstance(stage.ways_in, Closed) else []


def attackers(stage: Stage) -> list[Attacker]:
    """Return a stolen node, camera and reader of a closed fog; anybody in an open one."""
    ways = stage.ways_in
    if not isinstance(ways, Closed):
        return [Attacker(f"mqtt://{LOOPBACK}:{stage.broker.port}", "anybody")]
    return [
        *(_with(ways.file("node", node)) for node in stolen(stage)),
        _with(ways.enrolled("camera", _THIEF)),
        _with(ways.enrolled("reader", _THIEF)),
    ]


def spies(stage: Stage) -> list[tuple[MqttBus, Sequence[str]]]:
    """Return connections with the filters that they may hear; close them after."""
    ways = stage.ways_in
    if not isinstance(ways, Closed):
        bus = MqttBus.connect(f"mqtt://{LOOPBACK}:{stage.broker.port}", "spy")
        return [(bus, [topic.every(SITE) for topic in TOPICS])]
    heard: list[tuple[MqttBus, Sequence[str]]] = []
    for role in _SPIES:
        spy = _with(ways.enrolled(role, f"spy-{role}"))
        bus = MqttBus.connect(spy.url, spy.client_id, credentials=spy.credentials)
        heard.append((bus, rights_of(role, f"spy-{role}", SITE).reads))
    return heard


def _with(file: JoinFile) -> Attacker:
    client_id = client_id_of(file.site, file.role, file.id)
    level = OWN_LEVEL.get(file.role)
    own = {} if level is None else {level: file.id}
    return Attacker(file.broker, client_id, file.credentials, own)
