"""The thin loop around the controller: the bus, the placer, the artifacts and the state folder."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broker.actions import Publish, Stop
from broker.artifacts import answer_nodes
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.messages import OFFLINE, ONLINE, Status
from broker.topics import COORDINATOR_STATE, STATUS
from coordinator.fog.controller import Action, Controller, Keep, Place, Save
from coordinator.fog.placer import Placer
from coordinator.fog.placing import Deliver, Placed, Placing
from coordinator.fog.state_folder import StateError, StateFolder

__all__ = ["Service", "StateError"]

_log = logging.getLogger("fog-coordinator")
_TICK_S: Final = 0.1
_BEAT_S: Final = 1.0
_HELD_UP_S: Final = 1.0
_COMPLAINT_S: Final = 60.0


class Service:
    """The coordinator of one site on one bus."""

    def __init__(
        self,
        site: str,
        state_dir: Path,
        bus: Bus,
        placer: Callable[[Deliver], Placing] = Placer,
    ) -> None:
        self._site, self._bus = site, bus
        self._folder = StateFolder(state_dir)
        self._session = int(time.time() * 1000)
        self._controller = Controller(
            site, self._session, self._folder.has, time.time() - time.monotonic()
        )
        self._inbox: Inbox[Message | Placed | str] = Inbox(stream_limit=1)
        self._placer = placer(self._inbox.put)
        self._placer.start()
        self._stop = threading.Event()
        self._online = threading.Event()
        self._reason = ""
        self._complained = 0  # messages that the log told of
        self._complained_at = 0.0
        self._failed: set[str] = set()
        self._told: dict[str, tuple[str, str, int, str]] = {}

    def stop(self) -> None:
        """End :meth:`run` soon; safe from any thread and from a signal handler."""
        self._stop.set()

    def run(self) -> str:
        """Serve until stopped; return the reason if another coordinator took over.

        Raises:
            StateError: what an earlier run kept cannot be read.
        """
        state = COORDINATOR_STATE.at(self._site)
        try:
            actions = self._folder.restored(self._controller.restore)
            for topic_filter in self._controller.subscriptions():
                self._bus.subscribe(topic_filter, self._inbox.put)
            answer_nodes(self._bus, self._site, self._find)
            self._bus.on_connection(self._connection)
            self._bus.publish(state, ONLINE, retain=True)
            self._perform(actions)
            self._serve()
        finally:
            # However it ends: nobody is to take a coordinator that crashed for one that runs.
            if not self._reason:
                self._bus.publish(state, OFFLINE, retain=True)
            self._placer.close()
        return self._reason

    def _serve(self) -> None:
        controller = self._controller
        tick_at = beat_at = 0.0
        was_online = False
        looked_at = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if now >= beat_at:
                self._complain(now)
                self._perform(controller.beat())
                beat_at = now + _BEAT_S
            item = self._inbox.get(_TICK_S)
            now = time.monotonic()
            if now - looked_at > _HELD_UP_S:
                # A busy machine, a laptop that slept: what came in waits.
                controller.held_up(now)
            looked_at = now
            online = self._online.is_set()
            if online and not was_online:
                controller.connected(now)
            was_online = online
            if item is not None:
                self._decide(item, now)
            if now >= tick_at and online:
                if controller.deaf(now):
                    _log.warning("our own beats do not come back; connecting anew")
                    controller.held_up(now)
                    self._bus.renew()
                else:
                    self._guarded("what is due", lambda: controller.tick(now))  # noqa: B023
                tick_at = now + _TICK_S

    def _decide(self, item: Message | Placed | str, now: float) -> None:
        controller = self._controller
        match item:
            case Message():
                self._guarded(item.topic, lambda: controller.handle(item, now))
            case Placed():
                self._guarded(f"the layout of {item.key}", lambda: controller.placed(item, now))
            case str():
                self._guarded(f"artifact {item[:12]}", lambda: controller.lost(item, now))

    def _guarded(self, what: str, decide: Callable[[], list[Action]]) -> None:
        """Decide and perform; a mistake of ours costs this one decision, not the site its coordinator."""
        try:
            self._perform(decide())
        except Exception:  # noqa: BLE001 - whatever it is, the next message is another matter
            if what not in self._failed:  # once a subject: it may come again each second
                _log.exception("a decision failed on %s; going on", what)
            self._failed.add(what)

    def _connection(self, there: bool) -> None:
        if there:
            self._online.set()
        else:
            self._online.clear()

    def _find(self, sha256: str) -> bytes | None:
        """Return an artifact for a node that asks; one that is lost is fetched from those who have it."""
        data = self._folder.artifact(sha256)
        if data is None:
            self._inbox.put(sha256)
        return data

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Publish(topic, payload, retain):
                    self._bus.publish(topic, payload, retain=retain)
                    self._tell(topic, payload)
                case Keep(data):
                    self._folder.keep(data)
                case Save(state, artifacts):
                    self._folder.save(state, artifacts)
                case Place(deployment, question):
                    number = self._placer.submit(deployment, question.request, question.present)
                    self._controller.asked(deployment, number)
                case Stop(reason):
                    self._reason = reason
                    self.stop()

    def _complain(self, now: float) -> None:
        """Log messages that could not be decoded, once a minute at most; and save what could not be saved."""
        self._folder.retry()
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
        words = (status.deployment, status.phase, status.epoch, status.reason or where)
        if words != self._told.get(status.deployment):
            self._told[status.deployment] = words
            _log.info("%s: %s epoch %d %s", *words)
