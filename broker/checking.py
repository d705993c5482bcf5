"""What a broker is, and what it lets us do: found out by trying."""

import contextlib
import statistics
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from broker.access.joining import Joined
from broker.access.rights import MATRIX, Rights, rights_of
from broker.bus.facts import BrokerFacts
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import BrokerRefusedError, BusError, Message, NotAllowedError
from broker.messages import OFFLINE
from broker.topics import CLIENT_ECHO

_ANSWER_S: Final = 5.0
_VERSION_S: Final = 0.5
_VERSION: Final = "$SYS/broker/version"
_NEEDED_BYTES: Final = 1_100_000
"""The largest message that a fog cannot do without: a chunk of an artifact, with its header."""
_ROUND_TRIPS: Final = 9


@dataclass(frozen=True, slots=True)
class Tried:
    """What one user may do: of the topic filters that were tried, the ones that were refused."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    refused_reads: tuple[str, ...]
    refused_writes: tuple[str, ...]

    def and_(self, other: "Tried") -> "Tried":
        """Return both together."""
        return Tried(
            self.reads + other.reads,
            self.writes + other.writes,
            self.refused_reads + other.refused_reads,
            self.refused_writes + other.refused_writes,
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found; ``version`` is what the broker calls itself, None where it does not say.

    ``anonymous`` is what those without credentials may do; None where they may not connect, and
    where we have none ourselves.
    """

    broker: str
    facts: BrokerFacts
    version: str | None
    round_trip_s: float
    user: str | None
    tried: Tried
    anonymous: Tried | None
    closed: bool
    """Whether we came with a join file."""

    @property
    def missing(self) -> list[str]:
        """What a fog needs, or a closed one may not have, in one sentence each."""
        facts, said = self.facts, []
        if facts.max_qos < 1:
            said.append("QoS 1, which control messages go with")
        if not facts.retains:
            said.append("retained messages, in which a fog keeps what is wanted and what is there")
        if facts.max_packet_bytes is not None and facts.max_packet_bytes < _NEEDED_BYTES:
            said.append(
                f"messages of {_NEEDED_BYTES} bytes; it takes {facts.max_packet_bytes} at most"
            )
        if self.closed or self.user is None:
            said += [f"the right to read {topic}" for topic in self.tried.refused_reads]
            said += [f"the right to write {topic}" for topic in self.tried.refused_writes]
        if self.closed and self.anonymous is not None:
            said.append("a closed door: anyone may connect without credentials")
        return said

    def as_json(self) -> dict[str, Any]:
        """Return what ``check --json`` prints."""
        return {
            "broker": self.broker,
            "reached": True,
            "version": self.version,
            **asdict(self.facts),
            "round_trip_ms": self.round_trip_s * 1000,
            "user": self.user,
            "rights": asdict(self.tried),
            "anonymous": None if self.anonymous is None else asdict(self.anonymous),
            "missing": self.missing,
        }


def check(joined: Joined) -> Checked:
    """Return what the broker is and what we may do there.

    It connects as the join file says, so a device that runs with the same file is cut off for that
    moment. What it publishes nobody keeps (it is not retained) and nobody takes for a message.

    Raises:
        BusError: the broker is not there, refuses us, or stops answering.
        ValueError: an address that is none.
    """
    token = f"check-{uuid.uuid4().hex[:12]}"
    with contextlib.closing(_connect(joined, joined.client_id(token))) as bus:
        version = _version(bus)
        tried = _try(bus, _wanted(joined, token), token)
        round_trip_s = _round_trip(bus, joined.site, token)
        facts = bus.facts
    if joined.file is not None and joined.file.role == "node":
        # Before a node connects it asks, as another user, whether it runs already.
        client_id, asking = joined.asking(token)
        with contextlib.closing(_connect(asking, client_id)) as bus:
            file = joined.file
            tried = tried.and_(_try(bus, rights_of("ask", file.id, file.site), token))
    assert facts is not None  # noqa: S101 - it was connected
    return Checked(
        broker=str(bus.url),
        facts=facts,
        version=version,
        round_trip_s=round_trip_s,
        user=joined.credentials.user or bus.url.user,
        tried=tried,
        anonymous=_anonymous(joined, token) if joined.credentials.user else None,
        closed=joined.file is not None,
    )


def _connect(joined: Joined, client_id: str) -> MqttBus:
    return MqttBus.connect(joined.url, client_id, credentials=joined.credentials, yields=True)


def _wanted(joined: Joined, token: str) -> Rights:
    """Return what is to be tried: the rights of a join file's role, else what does no harm."""
    file = joined.file
    if file is not None:
        return rights_of(file.role, file.id, file.site)
    echo = CLIENT_ECHO.at(joined.site, client=token)
    topics = {topic.every(joined.site) for topic in MATRIX if not topic.outside}
    return Rights((echo,), tuple(sorted(topics)))


def _try(bus: MqttBus, wanted: Rights, token: str) -> Tried:
    """Read and write what is wanted; return what was refused."""
    refused: Inbox[BusError] = Inbox()
    bus.on_refusal(refused.put)
    for topic_filter in wanted.reads:
        bus.subscribe(topic_filter, _ignore)
    topics = {topic_filter.replace("+", token): topic_filter for topic_filter in wanted.writes}
    for topic in topics:
        # Where a state is written, who it is of is not there: we have its connection.
        bus.publish(topic, OFFLINE if topic.endswith("/state") else b"?")
    _answered(bus)
    for topic_filter in wanted.reads:
        bus.unsubscribe(topic_filter)
    reads: set[str] = set()
    writes: set[str] = set()
    while len(refused):
        match refused.get(0):
            case NotAllowedError(right="read") as error:
                reads.add(error.topic)
            case NotAllowedError(right="write") as error:
                writes.add(topics.get(error.topic, error.topic))
    return Tried(
        wanted.reads,
        wanted.writes,
        _of(wanted.reads, reads),
        _of(wanted.writes, writes),
    )


def _of(wanted: Iterable[str], refused: set[str]) -> tuple[str, ...]:
    return tuple(topic for topic in wanted if topic in refused)


def _round_trip(bus: MqttBus, site: str, token: str) -> float:
    """Return the median seconds from a publication to its acknowledgement, allowed or not."""
    topic, seconds = CLIENT_ECHO.at(site, client=token), []
    for _ in range(_ROUND_TRIPS):
        begun = time.perf_counter()
        bus.publish(topic, b"?")
        _answered(bus)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _version(bus: MqttBus) -> str | None:
    """Return what the broker calls itself, if it says so to us."""
    heard: Inbox[Message | BusError] = Inbox()
    bus.on_refusal(heard.put)
    bus.subscribe(_VERSION, heard.put)
    item = heard.get(_VERSION_S)
    bus.unsubscribe(_VERSION)
    return item.payload.decode(errors="replace")[:100] if isinstance(item, Message) else None


def _anonymous(joined: Joined, token: str) -> Tried | None:
    """Return what those without credentials may do, or None if they may not connect."""
    nobody = replace(joined.credentials, user=None, password=None, certificate=None, key=None)
    url = joined.url.replace(f"//{joined.url.partition('//')[2].rpartition('@')[0]}@", "//")
    stranger = Joined(url, joined.site, nobody)
    try:
        bus = _connect(stranger, f"{token}-stranger")
    except BusError:
        return None
    with contextlib.closing(bus):
        return _try(bus, _wanted(stranger, token), token)


def _answered(bus: MqttBus) -> None:
    if not bus.wait_answered(_ANSWER_S):
        raise BrokerRefusedError(
            str(bus.url),
            "it answers no more; perhaps it cuts off whoever tries what is not allowed",
        )


def _ignore(_: Message) -> None:
    pass
