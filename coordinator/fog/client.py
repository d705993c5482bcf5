"""What ``deploy``, ``redeploy``, ``undeploy`` and ``status`` say to a running coordinator, and hear."""

import time
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from broker.artifacts import answer_coordinator, sha256_of
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, BusError, Message
from broker.messages import ONLINE, Spec, Status
from broker.payload import MessageError
from broker.topics import (
    ACTIVE,
    CLIENT_ECHO,
    NODE_ASSIGNMENT,
    NODE_BEAT,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    SPEC,
    STATUS,
    Topic,
)
from coordinator.fog.signer import Signer
from coordinator.fog.site_snapshot import SILENT_S, TOPICS, SiteSnapshot
from coordinator.fog.wishes import REVISION_AHEAD_S
from models.bundle import Bundle

_ANSWER_S: Final = 8.0
_BEAT_S: Final = 1.5
"""A fog node that is there beats at least once in this time."""
_OF_A_NODE: Final = (NODE_STATE, NODE_INFO, NODE_REPORT, NODE_ASSIGNMENT)
_NO_COORDINATOR: Final = "no coordinator answers in site {site}; start one: fog-coordinator serve"


class DeploymentError(Exception):
    """What was asked for did not come about, in one sentence."""


class NotAllowedHereError(DeploymentError):
    """The broker did not let the command do what it has to; the sentence is the bus's."""


class Client:
    """One command's talk with a site; ``own_id`` is its name in topics, by default one of its own.

    Whatever the broker refuses ends the command: without it the answer would be silence.
    """

    def __init__(self, bus: Bus, site: str, own_id: str | None = None) -> None:
        self._bus, self._site = bus, site
        self._id = own_id or f"client-{uuid.uuid4().hex[:12]}"
        self._inbox: Inbox[Message | BusError] = Inbox()
        bus.on_refusal(self._inbox.put)

    def look(self, listen_s: float) -> SiteSnapshot:
        """Return what the site says after ``listen_s`` seconds, enough for a beat of each node.

        Where somebody who is said to be online did not beat by then, it listens for ``SILENT_S``.

        Raises:
            DeploymentError: the broker lets us hear only a part of it.
        """
        site = SiteSnapshot()
        for topic in TOPICS:
            self._bus.subscribe(topic.every(self._site), self._inbox.put)
        begun = time.monotonic()
        while True:
            waits_s = listen_s if site.everyone_was_heard() else max(listen_s, SILENT_S)
            message = self._hear(begun + waits_s)
            if message is None:
                return site
            site.hear(message, time.monotonic())

    def deploy(
        self,
        bundle: Bundle,
        folder: Path,
        name: str,
        *,
        wait_s: float | None,
        tell: Callable[[Status], None],
        signer: Signer | None = None,
    ) -> Status:
        """Ask for a bundle to be deployed, handing its artifacts over; return the last status.

        With a ``signer`` enrolled fog nodes run it. Without ``wait_s`` it returns once the coordinator has the artifacts, with it once the
        deployment serves.

        Raises:
            DeploymentError: no coordinator, or it could not, with its reason.
        """
        artifacts = {}
        for part in bundle.partitions:
            data = (folder / part.file).read_bytes()
            artifacts[sha256_of(data)] = data
        answer_coordinator(self._bus, self._site, self._id, artifacts.get)
        spec = Spec(
            deployment=name,
            revision=self._next_revision(name),
            bundle=bundle.model_dump(mode="json"),
        )
        return self._ask(spec if signer is None else signer.signed(spec), wait_s, tell)

    def redeploy(
        self,
        name: str,
        *,
        wait_s: float | None,
        tell: Callable[[Status], None],
        signer: Signer | None = None,
    ) -> Status:
        """Ask for a deployment to be placed anew on the fog nodes of now.

        Its signature stays, unless a ``signer`` signs it anew.

        Raises:
            DeploymentError: there is none of that name, no coordinator, or it could not.
        """
        spec = self._spec(name)
        again = spec.model_copy(update={"revision": _after(spec.revision)})
        return self._ask(again if signer is None else signer.signed(again), wait_s, tell)

    def undeploy(self, name: str) -> None:
        """End a deployment, also one of which only something retained is left.

        Raises:
            DeploymentError: there is none of that name, or no coordinator.
        """
        self._retained(name, (SPEC, ACTIVE, STATUS))
        status = STATUS.at(self._site, deployment=name)
        self._bus.subscribe(status, self._inbox.put)
        self._bus.publish(SPEC.at(self._site, deployment=name), b"", retain=True)
        until = time.monotonic() + _ANSWER_S
        while (message := self._hear(until)) is not None:
            if message.topic == status and not message.payload:
                return
        raise DeploymentError(_NO_COORDINATOR.format(site=self._site))

    def forget(self, node: str) -> list[str]:
        """Clear what a fog node that is gone left retained; return which of its topics that were.

        A node is there if it beats, whatever its retained state says; listening for that takes up to
        ``SILENT_S`` seconds where its state says online, and one beat's time otherwise.

        Raises:
            DeploymentError: nothing is known of it, or it is there.
        """
        beat = NODE_BEAT.at(self._site, node=node)
        retained = {topic.at(self._site, node=node): topic for topic in _OF_A_NODE}
        echo = CLIENT_ECHO.at(self._site, client=self._id)
        for topic in (*retained, beat, echo):
            self._bus.subscribe(topic, self._inbox.put)
        self._bus.publish(echo, b"")
        found: dict[str, bytes] = {}
        begun = time.monotonic()
        until = begun + _ANSWER_S
        while (message := self._hear(until)) is not None:
            if message.topic == beat:
                raise DeploymentError(f"{node} is online; end it first: it would only come again")
            if message.topic == echo:
                online = found.get(NODE_STATE.at(self._site, node=node)) == ONLINE
                until = begun + (SILENT_S if online else _BEAT_S)
            elif message.payload:
                found[message.topic] = message.payload
        if not found:
            raise DeploymentError(f"no fog node {node} in site {self._site}")
        self._clear(found, node)
        return sorted(retained[topic].pattern.rsplit("/", 1)[-1] for topic in found)

    def _clear(self, topics: Collection[str], node: str) -> None:
        """Clear topics of a node that we hear, and wait until they are."""
        left = set(topics)
        for topic in topics:
            self._bus.publish(topic, b"", retain=True)
        until = time.monotonic() + _ANSWER_S
        try:
            while left and (message := self._hear(until)) is not None:
                if not message.payload:
                    left.discard(message.topic)
        except NotAllowedHereError as error:
            raise NotAllowedHereError(
                f"{error}; no operator clears what another wrote: where {node} is gone for good, "
                f"fog-broker revoke {node} does, at the broker"
            ) from None
        if left:
            raise DeploymentError(f"the broker did not clear {', '.join(sorted(left))}")

    def _hear(self, until: float) -> Message | None:
        """Return the next message, or None if none comes before ``until`` (``time.monotonic``)."""
        item = self._inbox.get(max(0.0, until - time.monotonic()))
        if isinstance(item, BusError):
            raise NotAllowedHereError(str(item))
        return item

    def _spec(self, name: str) -> Spec:
        try:
            return Spec.decode(self._retained(name, (SPEC,)))
        except MessageError as error:
            raise DeploymentError(f"what is wanted of {name} cannot be read; {error}") from None

    def _retained(self, name: str, topics: tuple[Topic, ...]) -> bytes:
        """Return what one of a deployment's topics retains; an echo tells that no more is to come."""
        wanted = {topic.at(self._site, deployment=name) for topic in topics}
        echo = CLIENT_ECHO.at(self._site, client=self._id)
        for topic in (*sorted(wanted), echo):
            self._bus.subscribe(topic, self._inbox.put)
        self._bus.publish(echo, b"")
        until = time.monotonic() + _ANSWER_S
        while (message := self._hear(until)) is not None:
            if message.topic == echo:
                until = min(until, time.monotonic() + 0.5)
            elif message.topic in wanted and message.payload:
                return message.payload
        raise DeploymentError(f"no deployment {name} in site {self._site}")

    def _next_revision(self, name: str) -> int:
        """Return a revision above that of whatever is wanted now, also where clocks disagree."""
        try:
            return _after(self._spec(name).revision)
        except NotAllowedHereError:
            raise
        except DeploymentError:
            return _revision()

    def _ask(self, spec: Spec, wait_s: float | None, tell: Callable[[Status], None]) -> Status:
        topic = STATUS.at(self._site, deployment=spec.deployment)
        self._bus.subscribe(topic, self._inbox.put)
        self._bus.publish(
            SPEC.at(self._site, deployment=spec.deployment), spec.encode(), retain=True
        )
        until = time.monotonic() + _ANSWER_S
        last: Status | None = None
        while (message := self._hear(until)) is not None:
            if message.topic != topic or not message.payload:
                continue
            try:
                status = Status.decode(message.payload)
            except MessageError:
                continue  # a stranger's: the coordinator says its own again
            if status.revision != spec.revision:
                continue
            if last is None:
                until += wait_s if wait_s is not None else 60.0
            last = status
            tell(status)
            if status.phase == "failed":
                raise DeploymentError(f"{spec.deployment}: {status.reason}")
            if status.phase == "serving" or (wait_s is None and status.phase != "fetching"):
                return status
        if last is None:
            raise DeploymentError(_NO_COORDINATOR.format(site=self._site))
        raise DeploymentError(f"{spec.deployment}: still {last.phase}; {last.reason}".rstrip("; "))


def _revision() -> int:
    return int(time.time() * 1000)


def _after(revision: int) -> int:
    """Return a revision that follows; one from days ahead of our clock is nobody's, and followed by none."""
    now = _revision()
    return now if revision > now + REVISION_AHEAD_S * 1000 else max(now, revision + 1)
