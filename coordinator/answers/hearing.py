"""The thin part: what is subscribed to for the states of cameras, and what came, a few times a second.

Answers are many and small: they wait in lanes of their own and are looked at together, so that none of
them wakes anybody. Heard are only the nodes that may give them: the broker leaves out all others.
"""

import importlib.metadata
import random
from collections.abc import Callable
from typing import Final

from broker.actions import Publish
from broker.bus.fair_inbox import FairInbox, FairLimits
from broker.bus.seam import Bus, Handler, Message
from broker.codec import CodecError, decode_tensor
from broker.messages import Active
from broker.payload import MessageError
from broker.ranges import MOST_TENSOR_BYTES
from broker.topics import (
    FRAME,
    HOME_ASSISTANT_STATUS,
    RESULT,
    STATE,
    InvalidIdError,
    check_id,
)
from coordinator.answers.answer import Answer
from coordinator.answers.home_assistant import HomeAssistant
from coordinator.answers.rules import Rules
from coordinator.answers.states import States
from coordinator.fog.deployments import Deployments
from coordinator.fog.failures import Failures

_MOST_FRAME: Final = MOST_TENSOR_BYTES + 64 * 1024
_WORDS: Final = FairLimits(lane=2048, lane_bytes=2**20, lanes=2048, bytes=16 * 2**20)
_FRAMES: Final = FairLimits(lane=64, lane_bytes=8 * 2**20, lanes=1024, bytes=32 * 2**20)
_AT_ONCE: Final = 4096
"""Messages of one look: more wait for the next."""


class Hearing:
    """What the coordinator of one site hears of its answers; ``wall_s`` as for :class:`States`."""

    def __init__(
        self, site: str, bus: Bus, rules: Rules, failures: Failures, wall_s: float
    ) -> None:
        self._site, self._bus, self._failures = site, bus, failures
        self._prefix = rules.home_assistant
        shown = None
        if self._prefix:
            version = importlib.metadata.version("fogweave")
            shown = HomeAssistant(site, self._prefix, version, random.Random())
        self._states = States(site, rules, failures, wall_s, shown)
        self._words: FairInbox[Message] = FairInbox(_WORDS)
        self._frames: FairInbox[Message] = FairInbox(_FRAMES)
        self._heard: set[str] = set()
        self._active: dict[str, tuple[int, Active]] = {}
        self._acts = False
        self._dropped = 0

    def start(self) -> None:
        """Hear what is retained of states, and whether Home Assistant starts."""
        state = self._listener(self._words, "state", 4096)
        self._bus.subscribe(STATE.every(self._site), state)
        if self._prefix:
            status = self._listener(self._words, "status", 64)
            self._bus.subscribe(HOME_ASSISTANT_STATUS.under(self._prefix).at(self._site), status)

    def connected(self) -> None:
        """Take note of a new connection."""
        self._states.connected()

    def step(self, deployments: Deployments, now: float, *, acts: bool) -> list[Publish]:
        """Return what follows from what came; where another coordinator acts, nothing does."""
        self._note_drops()
        if self._acts and not acts:
            return []  # it may be over: what comes waits
        actions: list[Publish] = []
        if acts:
            known = {*deployments.names, *deployments.heard.active}
            actions += self._states.serve(self._serving(deployments), known)
        self._each(self._frames, self._frame, now)
        actions += self._each(self._words, self._word, now)
        if not acts:
            return []
        if not self._acts:
            self._acts = True
            actions += self._states.begin()
        actions += self._states.tick(now)
        self._subscribe(now)
        return actions

    def _serving(self, deployments: Deployments) -> dict[str, Active]:
        """Return what serves, by deployment; made anew only for a new epoch."""
        active: dict[str, tuple[int, Active]] = {}
        for name in deployments.names:
            deployment = deployments.get(name)
            epoch = None if deployment is None else deployment.serving
            if epoch is not None:
                known = self._active.get(name)
                same = known is not None and known[0] == epoch.number
                active[name] = known if known and same else (epoch.number, epoch.active())
        self._active = active
        return {name: told for name, (_, told) in active.items()}

    def _subscribe(self, now: float) -> None:
        wanted = {
            RESULT.every(self._site, deployment=name, node=node): (self._words, Answer.MOST_BYTES)
            for name, node in self._states.answering(now)
        } | {
            FRAME.at(self._site, deployment=name, camera=camera): (self._frames, _MOST_FRAME)
            for name, camera in self._states.watched(now)
        }
        for topic_filter in self._heard - wanted.keys():
            self._bus.unsubscribe(topic_filter)
        for topic_filter in sorted(wanted.keys() - self._heard):
            inbox, most = wanted[topic_filter]
            self._bus.subscribe(topic_filter, self._listener(inbox, topic_filter, most))
        self._heard = set(wanted)

    def _listener(self, inbox: FairInbox[Message], lane: str, most: int) -> Handler:
        """Return what takes messages of at most so many bytes, on the bus's thread."""

        def hear(message: Message) -> None:
            size = len(message.payload)
            if size > most:
                inbox.dropped += 1
            else:
                inbox.offer(lane, message, size, known=True)

        return hear

    def _each(
        self,
        inbox: FairInbox[Message],
        take: Callable[[Message, float], list[Publish]],
        now: float,
    ) -> list[Publish]:
        actions: list[Publish] = []
        for _ in range(_AT_ONCE):
            message = inbox.get(0) if inbox.waiting else None
            if message is None:
                break
            try:
                actions += take(message, now)
            except (MessageError, CodecError, InvalidIdError) as error:
                self._failures.note("could_not_decode", f"{message.topic}: {error}")
        return actions

    def _word(self, message: Message, now: float) -> list[Publish]:
        topic, payload = message.topic, message.payload
        if names := RESULT.names(topic):
            named = {"deployment": names["deployment"], "camera": names["camera"]}
            return self._states.hear(names["node"], Answer.decode(payload, **named), now)
        if names := STATE.names(topic):
            for field, name in names.items():
                check_id(field, name)
            return self._states.retained((names["deployment"], names["camera"]), payload, now)
        self._states.status(payload, now)
        return []

    def _frame(self, message: Message, now: float) -> list[Publish]:
        frame = decode_tensor(message.payload, now)
        names = FRAME.names(message.topic)
        if names == {"deployment": frame.header.deployment, "camera": frame.header.camera}:
            self._states.frame(frame)
        return []

    def _note_drops(self) -> None:
        dropped = self._words.dropped + self._frames.dropped
        if dropped > self._dropped:
            self._failures.note(
                "dropped", "answers too large, or too many of one node", dropped - self._dropped
            )
            self._dropped = dropped
