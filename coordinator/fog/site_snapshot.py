"""What a site's retained topics and beats say of it: a fold over messages, for ``status`` and its like; pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from broker.bus.seam import Message
from broker.camera_state import State
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import ONLINE, Active, Beat, NodeInfo, Status
from broker.payload import MessageError
from broker.topics import (
    ACTIVE,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_BEAT,
    NODE_INFO,
    NODE_STATE,
    SPEC,
    STATE,
    STATUS,
    InvalidIdError,
    Topic,
    check_id,
)

SILENT_S: Final = 3.5
"""Who was not heard for so long does not answer, whatever its retained state says."""

Presence = Literal["online", "silent", "offline"]
"""``silent``: the retained state says online, but no beat was heard of late."""


@dataclass(slots=True)
class SiteSnapshot:
    """A site as heard so far; times are those that :meth:`hear` was given, in monotonic seconds."""

    coordinator: bool = False
    """Whether the retained state of one says online."""
    coordinator_heard_at: float | None = None
    states: dict[str, bool] = field(default_factory=dict)
    infos: dict[str, NodeInfo] = field(default_factory=dict)
    beats: dict[str, Beat] = field(default_factory=dict)
    heard_at: dict[str, float] = field(default_factory=dict)
    """When each fog node beat last."""
    deployments: dict[str, Status] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    """The deployments that have a spec."""
    active: dict[str, Active] = field(default_factory=dict)
    cameras: dict[str, State] = field(default_factory=dict)
    """What the cameras show, by deployment/camera."""
    bad_messages: int = 0

    def hear(self, message: Message, now: float) -> None:
        """Take a message in; an empty one clears what its topic retained, a damaged one is counted."""
        for topic, take in _TAKES.items():
            names = topic.names(message.topic)
            if names is not None:
                try:
                    for field, name in names.items():
                        check_id(field, name)
                    take(self, "/".join(names.values()), message.payload, now)
                except (MessageError, InvalidIdError):
                    self.bad_messages += 1
                return

    @property
    def nodes(self) -> list[str]:
        """All fog nodes of which something is known."""
        return sorted(self.states.keys() | self.infos.keys() | self.beats.keys())

    @property
    def orphans(self) -> list[str]:
        """Deployments that nobody wants and of which something is retained; `undeploy` clears it."""
        return sorted((self.deployments.keys() | self.active.keys()) - self.wanted)

    def coordinator_presence(self, now: float) -> Presence:
        """Return whether a coordinator answers."""
        return _presence(self.coordinator, self.coordinator_heard_at, now)

    def presence(self, node: str, now: float) -> Presence:
        """Return whether a fog node is there."""
        return _presence(self.states.get(node, False), self.heard_at.get(node), now)

    def everyone_was_heard(self) -> bool:
        """Return whether all that are said to be online were heard."""
        online = {node for node, there in self.states.items() if there}
        return online <= self.heard_at.keys() and not (
            self.coordinator and self.coordinator_heard_at is None
        )

    def held_against(self, node: str) -> dict[str, str]:
        """Return by deployment why a fog node is used less or not at all."""
        statuses = sorted(self.deployments.items())
        return {name: status.slow[node] for name, status in statuses if node in status.slow}

    def as_json(self, now: float) -> dict[str, Any]:
        """Return what ``status --json`` prints; ``…_s_ago`` in seconds, None if never heard."""
        return {
            "coordinator": self.coordinator,
            "coordinator_state": self.coordinator_presence(now),
            "coordinator_heard_s_ago": _ago(self.coordinator_heard_at, now),
            "nodes": [
                {
                    "node": name,
                    "online": self.states.get(name, False),
                    "state": self.presence(name, now),
                    "heard_s_ago": _ago(self.heard_at.get(name), now),
                    "slow": self.held_against(name),
                    "info": self.infos[name].model_dump() if name in self.infos else None,
                    "beat": self.beats[name].model_dump() if name in self.beats else None,
                }
                for name in self.nodes
            ],
            "deployments": [
                status.model_dump()
                | {"active_epoch": self.active[name].epoch if name in self.active else None}
                for name, status in sorted(self.deployments.items())
            ],
            "cameras": [state.model_dump() for _, state in sorted(self.cameras.items())],
            "orphans": self.orphans,
            "bad_messages": self.bad_messages,
        }


def _presence(said_online: bool, heard_at: float | None, now: float) -> Presence:
    if heard_at is not None and now - heard_at < SILENT_S:
        return "online"
    return "silent" if said_online else "offline"


def _ago(at: float | None, now: float) -> float | None:
    return None if at is None else round(now - at, 1)


# --- one function a topic -----------------------------------------------------------------------

Take = Callable[[SiteSnapshot, str, bytes, float], None]


def _coordinator_state(site: SiteSnapshot, _name: str, payload: bytes, _now: float) -> None:
    site.coordinator = payload == ONLINE
    if not site.coordinator:
        site.coordinator_heard_at = None


def _coordinator_beat(site: SiteSnapshot, _name: str, payload: bytes, now: float) -> None:
    CoordinatorBeat.decode(payload)
    site.coordinator_heard_at = now


def _state(site: SiteSnapshot, node: str, payload: bytes, _now: float) -> None:
    if payload:
        site.states[node] = payload == ONLINE
    else:
        site.states.pop(node, None)
    if payload != ONLINE:
        site.beats.pop(node, None)
        site.heard_at.pop(node, None)


def _beat(site: SiteSnapshot, node: str, payload: bytes, now: float) -> None:
    site.beats[node] = Beat.decode(payload)
    site.heard_at[node] = now


def _info(site: SiteSnapshot, node: str, payload: bytes, _now: float) -> None:
    site.infos.pop(node, None)
    if payload:
        site.infos[node] = NodeInfo.decode(payload)


def _status(site: SiteSnapshot, deployment: str, payload: bytes, _now: float) -> None:
    site.deployments.pop(deployment, None)
    if payload:
        site.deployments[deployment] = Status.decode(payload, deployment=deployment)


def _active(site: SiteSnapshot, deployment: str, payload: bytes, _now: float) -> None:
    site.active.pop(deployment, None)
    if payload:
        site.active[deployment] = Active.decode(payload, deployment=deployment)


def _camera(site: SiteSnapshot, key: str, payload: bytes, _now: float) -> None:
    site.cameras.pop(key, None)
    if payload:
        deployment, camera = key.split("/")
        site.cameras[key] = State.decode(payload, deployment=deployment, camera=camera)


def _spec(site: SiteSnapshot, deployment: str, payload: bytes, _now: float) -> None:
    (site.wanted.add if payload else site.wanted.discard)(deployment)


_TAKES: Final[dict[Topic, Take]] = {
    COORDINATOR_STATE: _coordinator_state,
    COORDINATOR_BEAT: _coordinator_beat,
    NODE_STATE: _state,
    NODE_BEAT: _beat,
    NODE_INFO: _info,
    STATUS: _status,
    ACTIVE: _active,
    SPEC: _spec,
    STATE: _camera,
}

TOPICS: Final = tuple(_TAKES)
"""What has to be heard for a snapshot."""
