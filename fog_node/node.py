"""The thin loop around the agent: threads that load, run and fuse, and the bus."""

import importlib.metadata
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, ParamSpec

import psutil

from broker.access.trust import Trust
from broker.actions import Publish, Stop
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.messages import OFFLINE, ArtifactRequest, Assignment, Beat, NodeInfo
from broker.mistakes import Mistakes
from broker.ranges import MOST_TENSOR_BYTES
from broker.sessions import next_session
from broker.topics import NODE_BEAT, NODE_ECHO, NODE_GIVE, NODE_SINK, NODE_STATE
from fog_node.agent import Agent
from fog_node.drop_log import DropLog
from fog_node.echo import DEAF_S, Echo
from fog_node.events import (
    Action,
    Arrived,
    Event,
    Execute,
    Give,
    Load,
    Remember,
    Subscribe,
    Tidy,
    Unload,
    Unsubscribe,
)
from fog_node.loader import Loader
from fog_node.measure import hardware, macs_per_s, measure_links
from fog_node.quarantine import Quarantine
from fog_node.runner import Runner
from fog_node.signed_revisions import SignedRevisions
from fog_node.surrender import give_up
from fog_node.watchdog import Watchdog

_log = logging.getLogger("fog-node")
P = ParamSpec("P")
_TICK_S: Final = 0.25
_BEAT_S: Final = 1.0
MOST_BYTES: Final = max(Assignment.MOST_BYTES, MOST_TENSOR_BYTES) + 128 * 1024
"""No message to a node is larger: a tensor or an assignment, and a header."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Who this fog node is and what it may use; ``threads`` for one partition, memory in bytes.

    With an ``operator_key`` (64 hex digits) it runs only what the operator signed.
    """

    node: str
    site: str
    state_dir: Path
    threads: int
    memory_bytes: int
    operator_key: str | None = None


class FogNode:
    """One fog node on one bus; :meth:`run` returns the reason when it is stopped."""

    def __init__(self, settings: NodeSettings, bus: Bus) -> None:
        self._settings, self._bus = settings, bus
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        self._session = _next_session(settings.state_dir / "session")
        self._revisions = SignedRevisions(settings.state_dir / "signed-revisions.json")
        trust = Trust(settings.operator_key, self._revisions.read(), time.time() - time.monotonic())
        self._agent = Agent(
            settings.node, settings.site, self._session, settings.memory_bytes, trust
        )
        self._inbox: Inbox[Event] = Inbox(stream_limit=256, size=_size)
        self._quarantine = Quarantine(settings.state_dir / "quarantine.json")
        self._watchdog = Watchdog(lambda watched: give_up(watched, self._quarantine))
        self._loader = Loader(
            settings.state_dir / "artifacts",
            settings.threads,
            self._watchdog,
            self._quarantine,
            self._inbox.put,
        )
        self._runner = Runner(self._loader, self._watchdog, self._quarantine, self._inbox.put)
        self._loading = ThreadPoolExecutor(1, "loader")
        self._echo = Echo()
        self._echo_topic = NODE_ECHO.at(settings.site, node=settings.node)
        self._stop = threading.Event()
        self._reason = ""
        self._beats = self._too_large = 0
        self._mistakes = Mistakes(_log)
        self._renewed_at = 0.0
        self._drops = DropLog()

    def stop(self) -> None:
        """End :meth:`run` soon; safe from any thread and from a signal handler."""
        self._stop.set()

    def run(self, ready: Callable[[NodeInfo], None] = lambda _: None) -> str:
        """Serve until stopped; the bus must be connected. ``ready`` hears what the node is."""
        info = self._introduce()
        self._perform(self._agent.start())
        self._bus.subscribe(self._echo_topic, self._hear(stream=False))
        self._bus.on_connection(lambda there: self._agent.presence.connected() if there else None)
        ready(info)
        beat_at = 0.0
        try:
            while not self._stop.is_set():
                now = time.monotonic()
                if now >= beat_at:
                    self._beat(now)
                    beat_at = now + _BEAT_S
                self._listen(now)
                due = self._agent.next_tick()
                wait = _TICK_S if due is None else min(_TICK_S, max(0.0, due - now))
                event = self._inbox.get(wait)
                now = time.monotonic()
                if isinstance(event, Arrived) and event.message.topic == self._echo_topic:
                    self._echo.heard(event.message.payload, now)
                elif event is not None:
                    self._decide(self._agent.handle, event, now)
                if event is None or (due is not None and now >= due) or now >= beat_at:
                    self._decide(self._agent.tick, now)
        finally:
            self._bus.publish(self._topic_of_state(), OFFLINE, retain=True)
            # A run or a load is not waited for: nobody needs what comes of it.
            self._loading.shutdown(wait=False, cancel_futures=True)
            self._runner.shutdown()
            self._quarantine.close()
            self._watchdog.close()
        return self._reason

    def _decide(self, decide: Callable[P, list[Action]], *args: P.args, **named: P.kwargs) -> None:
        """Perform what is decided; a mistake of ours costs one decision, not the node."""
        try:
            self._perform(decide(*args, **named))
        except Exception as error:  # noqa: BLE001  the next event is another matter
            arrived = next((event for event in args if isinstance(event, Arrived)), None)
            occasion = arrived.message.topic if arrived is not None else "a decision"
            self._mistakes.note(occasion, error, time.monotonic())

    def _topic_of_state(self) -> str:
        return NODE_STATE.at(self._settings.site, node=self._settings.node)

    def _introduce(self) -> NodeInfo:
        settings = self._settings
        names = {"site": settings.site, "node": settings.node}
        info = NodeInfo(
            session=self._session,
            version=importlib.metadata.version("fogweave"),
            hardware=f"{hardware()}, {settings.threads} threads",
            cores=psutil.cpu_count() or 1,
            threads=settings.threads,
            memory_bytes=settings.memory_bytes,
            macs_per_s=macs_per_s(settings.threads),
            links=measure_links(self._bus, NODE_ECHO.at(**names), NODE_SINK.at(**names)),
        )
        self._loader.macs_per_s = info.macs_per_s
        self._perform([self._agent.presence.introduce(info)])
        return info

    def _listen(self, now: float) -> None:
        """Prove that the broker still reaches us; a connection that brings nothing is given up."""
        payload = self._echo.tick(now, connected=self._bus.connected)
        if payload is not None:
            self._bus.publish(self._echo_topic, payload, stream=True)
        if self._echo.deaf and now >= self._renewed_at + DEAF_S:
            _log.warning("the broker brings nothing back for %.1f s; connecting anew", DEAF_S)
            self._renewed_at = now
            self._bus.renew()

    def _beat(self, now: float) -> None:
        counters = self._agent.totals()
        counters["store_failed"] = self._loader.failed
        counters["mistakes"] = self._mistakes.count
        counters["too_large"] = self._too_large
        counters["inbox_dropped"] = self._inbox.dropped
        counters["bus_dropped"] = self._bus.dropped
        counters["bus_refused"] = self._bus.refused
        self._drops.note(counters, now)
        self._beats += 1
        beat = Beat(
            session=self._session,
            sequence=self._beats,
            epoch=self._agent.epochs.newest_ready,
            load=psutil.cpu_percent() / 100,
            queues={"inbox": len(self._inbox), "runs": self._agent.waiting_runs},
            counters=counters,
            echo_s=self._echo.seconds,
            **self._agent.observations.fields(now),
        )
        topic = NODE_BEAT.at(self._settings.site, node=self._settings.node)
        self._bus.publish(topic, beat.encode(), stream=True)

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Publish(topic, payload, retain, stream):
                    self._bus.publish(topic, payload, retain=retain, stream=stream)
                case Execute(run):
                    self._runner.submit(run)
                case Subscribe(topic_filter, stream):
                    self._bus.subscribe(topic_filter, self._hear(stream))
                case Unsubscribe(topic_filter):
                    self._bus.unsubscribe(topic_filter)
                case Load() as wanted:
                    self._loading.submit(self._loader.load, wanted)
                case Unload(sha256):
                    self._loading.submit(self._loader.unload, sha256)
                case Tidy(needed):
                    self._loading.submit(self._loader.tidy, needed)
                case Give(request):
                    self._loading.submit(self._give, request)
                case Remember(revisions):
                    self._revisions.write(revisions)
                case Stop(reason):
                    self._reason = reason
                    self.stop()

    def _hear(self, stream: bool) -> Callable[[Message], None]:
        enqueue = self._inbox.offer if stream else self._inbox.put

        def hear(message: Message) -> None:
            if len(message.payload) > MOST_BYTES:
                self._too_large += 1
            else:
                enqueue(Arrived(message))

        return hear

    def _give(self, request: ArtifactRequest) -> None:
        payload = self._loader.chunk(request)
        if payload is not None:
            topic = NODE_GIVE.at(self._settings.site, node=self._settings.node)
            self._bus.publish(topic, payload)


def _size(event: Event) -> int:
    return len(event.message.payload) if isinstance(event, Arrived) else 0


def _next_session(path: Path) -> int:
    """Return a number greater than that of every earlier start, even where the clock went back."""
    try:
        last = int(path.read_text(encoding="ascii")[:20])
    except (OSError, ValueError):
        last = 0
    session = next_session(last, time.time())
    if session <= last:
        _log.warning("%s: its last start was days ahead of this clock; it is not counted", path)
    try:
        path.write_text(str(session), encoding="ascii")
    except OSError as error:
        _log.warning(
            "%s: %s; a restart after the clock went back may be taken for older", path, error
        )
    return session
