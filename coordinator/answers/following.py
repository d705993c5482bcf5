"""A deployment's answers as they come: whose count, each frame's once; and why there may be none; pure."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from broker.answering import Answering
from broker.bus.seam import Message
from broker.messages import Active, Result, Status
from broker.payload import MessageError
from broker.topics import ACTIVE, CLIENT_ECHO, RESULT, SPEC, STATUS, InvalidIdError, check_id

_REMEMBERED: Final = 4096
"""So many frames back an answer that comes again is known."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, and the fog node that gave it."""

    result: Result
    node: str


class NothingServesError(Exception):
    """There are no answers to follow, in one sentence that says why."""


class Following:
    """The answers of one deployment, of one camera or of all (empty), heard by the client ``client``."""

    def __init__(self, site: str, deployment: str, camera: str, client: str) -> None:
        self._site, self._deployment, self._camera = site, deployment, camera
        self.echo = CLIENT_ECHO.at(site, client=client)
        self._answering = Answering()
        self._wanted = self._known = self._serves = self._served = False
        self._status: Status | None = None
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()
        self.bad_messages = 0

    @property
    def topics(self) -> list[str]:
        """What is retained of the deployment, and the ``echo``: what is sent there comes back after it."""
        topics = SPEC, STATUS, ACTIVE
        return [*(each.at(self._site, deployment=self._deployment) for each in topics), self.echo]

    @property
    def results(self) -> str:
        """The filter of the answers."""
        camera = {"camera": self._camera} if self._camera else {}
        return RESULT.every(self._site, deployment=self._deployment, **camera)

    def settle(self) -> None:
        """Take note that all that is retained was heard.

        Raises:
            NothingServesError: the deployment is not there, or not served yet.
        """
        self._known = True
        self._check()

    def hear(self, message: Message) -> Heard | None:
        """Take a message; return the answer that it is, if it is one that nobody saw.

        Raises:
            NothingServesError: the deployment ended.
        """
        try:
            return self._take(message)
        except (MessageError, InvalidIdError):
            self.bad_messages += 1
            return None

    def _take(self, message: Message) -> Heard | None:
        payload, name = message.payload, self._deployment
        if ACTIVE.names(message.topic):
            self._serves = bool(payload)
            if payload:
                self._served = True
                self._answering.activate(Active.decode(payload, deployment=name))
            self._check()
        elif STATUS.names(message.topic):
            self._status = Status.decode(payload, deployment=name) if payload else None
        elif SPEC.names(message.topic):
            self._wanted = bool(payload)
        elif names := RESULT.names(message.topic):
            return self._answer(payload, names["camera"], names["node"])
        return None

    def _answer(self, payload: bytes, camera: str, node: str) -> Heard | None:
        check_id("node", node)
        result = Result.decode(payload, deployment=self._deployment, camera=camera)
        key = camera, result.frame_id
        if not self._answering.may_answer(node, result.epoch) or key in self._seen:
            return None
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return Heard(result, node)

    def _check(self) -> None:
        """Go on where answers may come.

        Raises:
            NothingServesError: they may not.
        """
        if self._serves or not self._known:
            return
        name, status = self._deployment, self._status
        if self._served:
            raise NothingServesError(f"{name} ended: it was undeployed")
        if status is not None:
            why = f"{status.phase}: {status.reason}" if status.reason else status.phase
            raise NothingServesError(f"nothing serves {name} yet; it is {why}")
        if self._wanted:
            raise NothingServesError(
                f"nothing serves {name} yet, and no coordinator says why; "
                "start one: fog-coordinator serve"
            )
        raise NothingServesError(f"no deployment {name} in site {self._site}")
