"""What a stream hears: the answers to its frames, what serves its deployment, and that a picture came."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from broker.answering import Answering
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, BusError, Message
from broker.messages import Active, Result
from broker.payload import MessageError
from broker.topics import RESULT
from fog_node.camera.deployment_watch import DeploymentWatch
from fog_node.camera.settings import CameraSettings

_log = logging.getLogger("fog-camera")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, and when it came: decoding a picture may take longer than an answer."""

    message: Message
    at: float


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A live source has a newer picture."""


Event = Heard | BusError | NewPicture


class Hearing:
    """One queue for all of it; ``bad`` counts what was not to be believed."""

    def __init__(self, settings: CameraSettings, bus: Bus) -> None:
        self._settings = settings
        self._inbox: Inbox[Event] = Inbox(size=_size)
        self._woken = False
        self._answering = Answering()
        self.bad = self.foreign = 0
        bus.on_refusal(self._inbox.put)
        site, deployment = settings.site, settings.deployment
        self.watch = DeploymentWatch(bus, site, deployment, self._hear)
        answers = RESULT.every(site, deployment=deployment, camera=settings.camera)
        bus.subscribe(answers, self._hear_result)

    def get(self, timeout: float) -> Event | None:
        """Return what happened next, or None when ``timeout`` seconds have passed without anything."""
        event = self._inbox.get(max(0.0, timeout))
        if isinstance(event, NewPicture):
            self._woken = False
        return event

    def wake(self) -> None:
        """Have the loop look at its source, from any thread; one note is enough."""
        if not self._woken:
            self._woken = True
            self._inbox.put(NewPicture())

    def take_watched(self, message: Message, activate: Callable[[Active | None], None]) -> None:
        """Take what is said of the deployment; ``activate`` is called with what serves now."""
        try:
            if self.watch.take(message):
                self.expect(self.watch.active)
                activate(self.watch.active)
        except MessageError:
            self.bad += 1

    def expect(self, active: Active | None) -> None:
        """Take note of who answers from now on."""
        if active is not None:
            self._answering.activate(active)

    def result(self, message: Message) -> Result | None:
        """Return an answer of a node that may give it; None: it is none, or not what its topic says."""
        names = RESULT.names(message.topic) or {}
        node, deployment, camera = (
            names.get(name, "") for name in ("node", "deployment", "camera")
        )
        try:
            result = Result.decode(message.payload, deployment=deployment, camera=camera)
        except MessageError:
            result = None
        if result is None or not self._answering.may_answer(node, result.epoch):
            self.bad += 1
            return None
        return result

    def note_foreign(self) -> None:
        """Count an answer to a frame that was never sent."""
        if not self.foreign:
            camera = self._settings.camera
            _log.warning(
                "%s: answers to frames that it never sent: two cameras with this id?", camera
            )
        self.foreign += 1

    def _hear(self, message: Message) -> None:
        self._inbox.put(Heard(message, time.monotonic()))

    def _hear_result(self, message: Message) -> None:
        """Queue an answer of a node that may give one, on the bus's thread: no other fills the queue."""
        names = RESULT.names(message.topic)
        if names is not None and names["node"] in self._answering.nodes:
            self._hear(message)
        else:
            self.bad += 1


def _size(item: Event) -> int:
    return len(item.message.payload) if isinstance(item, Heard) else 0
