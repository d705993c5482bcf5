"""The thin loop around the controller: the bus, the placer, and the state folder.

It ends when it is told to, and by nothing else: a disk that fails, a message or a decision gone
wrong are counted and logged, and the loop goes on.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec

from broker.actions import Publish, Stop
from broker.artifact_giving import GivingInTurn, answer_nodes
from broker.bus.fair_inbox import FairInbox
from broker.bus.seam import Bus, Message
from broker.messages import OFFLINE
from broker.topics import COORDINATOR_STATE, STATUS
from coordinator.answers.hearing import Hearing
from coordinator.answers.rules import Rules
from coordinator.fog.actions import Action, Keep, Place, Save
from coordinator.fog.controller import DEAF_S, Controller
from coordinator.fog.failures import Failures
from coordinator.fog.intake import Intake
from coordinator.fog.news import News
from coordinator.fog.placer import Placer
from coordinator.fog.placing import Deliver, Placed, Placing
from coordinator.fog.state_folder import StateFolder

_log = logging.getLogger("fog-coordinator")
P = ParamSpec("P")
_TICK_S: Final = 0.2
_BEAT_S: Final = 1.0
_HELD_UP_S: Final = 1.0


class Service:
    """The coordinator of one site on one bus.

    Raises:
        StateError: the state folder cannot be made.
    """

    def __init__(
        self,
        site: str,
        state_dir: Path,
        bus: Bus,
        placer: Callable[[Deliver], Placing] = Placer,
        *,
        operator_key: str | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._site, self._bus = site, bus
        wall_s = time.time() - time.monotonic()
        self._failures = Failures(_log)
        self._folder = StateFolder(state_dir, self._failures)
        self._controller = Controller(
            site,
            time.time_ns() // 1000,  # microseconds: no two coordinators have the same
            self._folder.has,
            self._failures,
            wall_s,
            operator_key=operator_key,
        )
        self._hearing = Hearing(site, bus, rules or Rules(), self._failures, wall_s)
        self._inbox: FairInbox[Message | Placed | str] = FairInbox()
        self._intake = Intake(self._inbox.offer, self._controller.admission.knows)
        self._dropped = 0
        self._placer = placer(self._inbox.put)
        self._placer.start()
        self._stop = threading.Event()
        self._online = threading.Event()
        self._reason = ""
        self._giving: GivingInTurn | None = None
        self._news = News(site)

    def stop(self) -> None:
        """End :meth:`run` soon; safe from any thread and from a signal handler."""
        self._stop.set()

    def run(self) -> str:
        """Serve until stopped; return the reason if another coordinator took over.

        However it ends, unless another one acts, the site reads ``offline``.

        Raises:
            StateError: what an earlier run kept cannot be read.
        """
        try:
            self._folder.restored(self._controller.restore)
            for topic_filter in self._controller.subscriptions():
                self._bus.subscribe(topic_filter, self._intake.hear)
            self._hearing.start()
            self._giving = answer_nodes(self._bus, self._site, self._find)
            self._bus.on_connection(self._connection)
            self._loop()
        finally:
            self._failures.log_due(time.monotonic())
            if self._controller.tenure.acts:
                self._bus.publish(COORDINATOR_STATE.at(self._site), OFFLINE, retain=True)
            self._placer.close()
            if self._giving is not None:
                self._giving.close()
        return self._reason

    def _loop(self) -> None:
        controller = self._controller
        tick_at = beat_at = 0.0
        was_online = False
        looked_at = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if now >= beat_at:
                self._note_drops()
                self._failures.log_due(now)
                self._folder.retry()
                controller.clock(time.time())
                self._decide("beat", controller.beat)
                beat_at = now + _BEAT_S
            item = self._inbox.get(_TICK_S)
            now = time.monotonic()
            if now - looked_at > _HELD_UP_S:
                # A busy machine, a laptop that slept: what came in waits.
                controller.held_up(now, now - looked_at)
            looked_at = now
            online = self._online.is_set()
            if online and not was_online:
                controller.connected(now)
                self._hearing.connected()
            was_online = online
            if item is not None:
                self._take(item, now)
            if now >= tick_at and online:
                self._tick(now)
                tick_at = now + _TICK_S

    def _tick(self, now: float) -> None:
        controller = self._controller
        if controller.deaf(now):
            self._failures.note("deaf", "our own beats do not come back; connecting anew")
            controller.held_up(now, DEAF_S)
            self._bus.renew()
        else:
            self._decide("tick", controller.tick, now)
            self._decide("the states of cameras", self._look, now)
        self._news.tenure(controller.tenure)

    def _look(self, now: float) -> list[Action]:
        """Return what follows from the answers that came."""
        tenure = self._controller.tenure
        acts = tenure.acts and tenure.settled(now)
        return [*self._hearing.step(self._controller.deployments, now, acts=acts)]

    def _take(self, item: Message | Placed | str, now: float) -> None:
        controller = self._controller
        match item:
            case Message():
                more = self._inbox.waiting
                self._decide(item.topic, controller.handle, item, now, more=more)
            case Placed():
                self._decide(f"the layout of {item.key}", controller.placed, item, now)
            case str():
                self._decide("an artifact that is lost", controller.lost, item, now)

    def _connection(self, there: bool) -> None:
        if there:
            self._online.set()
        else:
            self._online.clear()

    def _find(self, sha256: str) -> bytes | None:
        """Return an artifact for a node that asks; one that is lost is fetched from those who have it."""
        if not self._controller.tenure.acts:
            return None  # the one that acts answers
        data = self._folder.artifact(sha256)
        if data is None:
            self._inbox.offer("lost", sha256, len(sha256), known=True)
        return data

    def _note_drops(self) -> None:
        """Count what was dropped before it was queued, or because too much was."""
        new = self._inbox.dropped + self._intake.too_large - self._dropped
        if new:
            self._dropped += new
            self._failures.note("dropped", "messages too large, or too many of one writer", new)

    def _decide(
        self,
        occasion: str,
        decide: Callable[P, list[Action]],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> None:
        """Perform what is decided; a mistake in one decision ends no other."""
        try:
            actions = decide(*arguments, **named)
        except Exception as error:  # noqa: BLE001  a mistake of ours is to end no site
            self._failures.raised(occasion, error, time.monotonic())
            return
        for action in actions:
            try:
                self._perform(action)
            except Exception as error:  # noqa: BLE001  the others are to be performed
                self._failures.raised(occasion, error, time.monotonic())

    def _perform(self, action: Action) -> None:
        match action:
            case Publish(topic, payload, retain):
                if not payload and STATUS.names(topic) is not None:
                    # Whoever undeploys waits for this one: the states of its cameras go first.
                    self._decide("the states of cameras", self._look, time.monotonic())
                self._bus.publish(topic, payload, retain=retain)
                self._news.published(topic, payload)
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
