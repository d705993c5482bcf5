"""What serves a deployment, and if nothing does why: as its coordinator tells."""

import contextlib
from collections.abc import Callable

from broker.bus.seam import Bus, BusError, Message, NotAllowedError
from broker.messages import Active, Status
from broker.payload import MessageError
from broker.topics import ACTIVE, STATUS
from fog_node.camera.fitting import can_be_fitted


class DeploymentWatch:
    """Hears ``active``, and ``status`` for as long as nothing serves."""

    def __init__(
        self, bus: Bus, site: str, deployment: str, put: Callable[[Message], None]
    ) -> None:
        self._bus, self._put, self._site, self._deployment = bus, put, site, deployment
        self._active_topic = ACTIVE.at(site, deployment=deployment)
        self._status_topic = STATUS.at(site, deployment=deployment)
        self._status: Status | None = None
        self._asking = False
        self.active: Active | None = None
        bus.subscribe(self._active_topic, put)
        self._ask()

    def concerns(self, topic: str) -> bool:
        """Return whether a message on ``topic`` is to be taken here."""
        return topic in (self._active_topic, self._status_topic)

    def forbids(self, error: BusError) -> bool:
        """Return whether the broker lets us hear of nothing that serves; of the reasons we need not hear."""
        return not (isinstance(error, NotAllowedError) and error.topic == self._status_topic)

    def take(self, message: Message) -> bool:
        """Take what is said; return whether it was ``active``.

        Raises:
            MessageError: it is of another deployment, or of a network that takes no pictures.
        """
        if message.topic == self._status_topic:
            with contextlib.suppress(MessageError):  # it is there for its reason, if it has one
                self._status = None
                if message.payload:
                    self._status = Status.decode(message.payload, deployment=self._deployment)
            return False
        active = None
        if message.payload:
            active = Active.decode(message.payload, deployment=self._deployment)
            if not can_be_fitted(active):
                raise MessageError(
                    f"Active: input: {active.input.shape} is neither grey nor colour"
                )
        self.active = active
        self._ask()
        return True

    def why(self) -> str:
        """Return in one sentence that nothing serves the deployment, and what its coordinator says of it."""
        sentence = f"nothing serves deployment {self._deployment} in site {self._site}"
        if self._status is None:
            return f"{sentence}, and no coordinator says why"
        reason = "; ".join(filter(None, (self._status.reason, self._status.degraded)))
        return f"{sentence}: {self._status.phase}" + (f", {reason}" if reason else "")

    def _ask(self) -> None:
        """Hear the reasons while nothing serves: afterwards they are only a burden."""
        wanted = self.active is None
        if wanted and not self._asking:
            self._bus.subscribe(self._status_topic, self._put)
        elif self._asking and not wanted:
            self._bus.unsubscribe(self._status_topic)
            self._status = None
        self._asking = wanted
