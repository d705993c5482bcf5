"""The thin loop around the controller: the bus, the artifacts and the state folder."""

import json
import logging
import threading
import time
from pathlib import Path
from typing import Final

from broker.actions import Publish, Stop
from broker.artifacts import ArtifactStore, answer_nodes
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.messages import OFFLINE, ONLINE, Status
from broker.topics import COORDINATOR_STATE, STATUS
from coordinator.fog.controller import Action, Controller, Keep, Save

_log = logging.getLogger("fog-coordinator")
_TICK_S: Final = 0.1
_BEAT_S: Final = 1.0
_HELD_UP_S: Final = 1.0
_COMPLAINT_S: Final = 60.0


class StateError(Exception):
    """The state folder cannot be used, in one sentence."""


class Service:
    """The coordinator of one site on one bus."""

    def __init__(self, site: str, state_dir: Path, bus: Bus) -> None:
        self._site, self._bus = site, bus
        self._path = state_dir / "deployments.json"
        try:
            self._store = ArtifactStore(state_dir / "artifacts")
        except OSError as error:
            raise StateError(f"--state-dir {state_dir}: {error.strerror}") from None
        self._session = int(time.time() * 1000)
        self._controller = Controller(
            site, self._session, lambda sha256: self._store.get(sha256) is not None
        )
        self._inbox: Inbox[Message] = Inbox(stream_limit=1)
        self._stop = threading.Event()
        self._online = threading.Event()
        self._reason = ""
        self._complained = 0  # messages that the log told of
        self._complained_at = 0.0

    def stop(self) -> None:
        """End :meth:`run` soon; safe from any thread and from a signal handler."""
        self._stop.set()

    def run(self) -> str:
        """Serve until stopped; return the reason if another coordinator took over.

        Raises:
            StateError: what an earlier run kept cannot be read.
        """
        actions = self._restored()
        for topic_filter in self._controller.subscriptions():
            self._bus.subscribe(topic_filter, self._inbox.put)
        answer_nodes(self._bus, self._site, self._store.get)
        self._bus.on_connection(self._connection)
        state = COORDINATOR_STATE.at(self._site)
        self._bus.publish(state, ONLINE, retain=True)
        self._perform(actions)
        tick_at = beat_at = 0.0
        was_online = False
        looked_at = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if now >= beat_at:
                self._complain(now)
                self._perform(self._controller.beat())
                beat_at = now + _BEAT_S
            message = self._inbox.get(_TICK_S)
            now = time.monotonic()
            if now - looked_at > _HELD_UP_S:
                # A long placement, a busy machine, a laptop that slept: what came in waits.
                self._controller.held_up(now)
            looked_at = now
            online = self._online.is_set()
            if online and not was_online:
                self._controller.connected(now)
            was_online = online
            if message is not None:
                self._perform(self._controller.handle(message, now))
            if now >= tick_at and online:
                self._perform(self._controller.tick(now))
                tick_at = now + _TICK_S
        if not self._reason:
            self._bus.publish(state, OFFLINE, retain=True)
        return self._reason

    def _connection(self, there: bool) -> None:
        if there:
            self._online.set()
        else:
            self._online.clear()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Publish(topic, payload, retain):
                    self._bus.publish(topic, payload, retain=retain)
                    self._tell(topic, payload)
                case Keep(data):
                    self._store.put(data)
                case Save(state, artifacts):
                    self._store.give_up(artifacts)
                    part = self._path.with_suffix(".part")
                    part.write_text(json.dumps(state), encoding="utf-8")
                    part.replace(self._path)
                case Stop(reason):
                    self._reason = reason
                    self.stop()

    def _complain(self, now: float) -> None:
        """Log messages that could not be decoded, once a minute at most."""
        controller = self._controller
        new = controller.bad_messages - self._complained
        if new and now >= self._complained_at:
            _log.warning("could not decode %d messages, the last %s", new, controller.bad_message)
            self._complained, self._complained_at = controller.bad_messages, now + _COMPLAINT_S

    def _tell(self, topic: str, payload: bytes) -> None:
        if STATUS.names(topic) is None or not payload:
            return
        status = Status.decode(payload)
        where = " ".join(f"{part}@{node}" for part, node in sorted(status.placement.items()))
        _log.info(
            "%s: %s epoch %d %s",
            status.deployment,
            status.phase,
            status.epoch,
            status.reason or where,
        )

    def _restored(self) -> list[Action]:
        """Take up what an earlier run kept; what is damaged is put aside, and the site begins anew."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as error:
            return self._put_aside(error)
        except OSError as error:
            raise StateError(f"{self._path}: cannot be read ({error.strerror})") from None
        try:
            return self._controller.restore(json.loads(text))
        except ValueError as error:
            return self._put_aside(error)

    def _put_aside(self, error: ValueError) -> list[Action]:
        aside = self._path.with_suffix(".damaged")
        try:
            self._path.replace(aside)
        except OSError as problem:
            raise StateError(f"{self._path}: damaged ({problem.strerror})") from None
        why = " ".join(str(error).split())[:200]
        _log.error("%s is damaged and now %s; nothing of it is known (%s)", self._path, aside, why)
        return []
