"""The epochs that a fog node was assigned: their life, their artifacts and topics. Pure.

``serving.TRANSITIONS`` is the life of one of them. The epoch that serves is never touched by one
that fails. Topics and sessions follow by diff: what the epochs at hand need, less what is there.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from broker.access.trust import Trust
from broker.actions import Publish
from broker.epoch_order import is_later
from broker.messages import AssignedPartition, Assignment, Report, ReportStatus
from broker.topics import NODE_REPORT
from fog_node.events import Action, Loaded, Remember, Subscribe, Unsubscribe
from fog_node.holdings import Holdings
from fog_node.serving import Serving

DRAIN_S: Final = 2.0
MOST_EPOCHS: Final = 128
"""So many epochs may be at hand; no node serves more."""
EpochKey = tuple[str, int]
"""Deployment and epoch."""


class Epochs:
    """All epochs at hand; ``memory_bytes`` is what their partitions may take together."""

    def __init__(self, node: str, site: str, session: int, memory_bytes: int, trust: Trust) -> None:
        self._node, self._site, self._session = node, site, session
        self._memory_bytes, self._trust = memory_bytes, trust
        self._servings: dict[EpochKey, Serving] = {}
        self._reported: dict[EpochKey, ReportStatus] = {}
        self._subscribed: set[str] = set()
        self.holdings = Holdings(node, site)
        self.given_up = 0
        """Frames that joins of epochs now gone gave up."""
        self.turned_away = 0
        """Assignments that there was no room for."""

    def __iter__(self) -> Iterator[Serving]:
        return iter(list(self._servings.values()))

    def get(self, deployment: str, epoch: int) -> Serving | None:
        """Return an epoch at hand."""
        return self._servings.get((deployment, epoch))

    @property
    def newest_ready(self) -> int:
        """The newest epoch that is ready, 0 if none is."""
        return max((s.key[1] for s in self._servings.values() if s.state == "ready"), default=0)

    def is_stale(self, assignment: Assignment) -> bool:
        """Return whether the deployment has a newer epoch here."""
        return any(
            name == assignment.deployment and is_later(number, assignment.epoch)
            for name, number in self._servings
        )

    def assign(self, assignment: Assignment, now: float) -> tuple[list[EpochKey], list[Action]]:
        """Take an assignment; return the epochs that are gone by it, and what follows."""
        key = (assignment.deployment, assignment.epoch)
        refusal = self._trust.refusal_of(assignment, now)
        if refusal:
            return self._refused(assignment, refusal)
        older = [
            s
            for s in self
            if s.key[0] == key[0] and s.key != key and not is_later(s.key[1], key[1])
        ]
        for serving in older:
            if serving.phase == "prepare":
                serving.move("replaced")
        if key not in self._servings and not self._has_room():
            return [], []
        known = self._servings.get(key)
        if known is not None and known.told(assignment):
            known.phase = assignment.phase
            self._reported.pop(key, None)  # whoever repeats it wants the report repeated
        else:
            if known is not None:
                self._remove(known)  # a coordinator that lost its state may number an epoch twice
            self._servings[key] = self._begin(assignment)
        if assignment.phase == "retire":
            older.append(self._servings[key])
        if assignment.phase != "prepare":
            for serving in older:
                if serving.move("superseded"):
                    serving.last_used = max(serving.last_used, now)
        gone, actions = self._settled()
        if assignment.phase == "serve" and self._trust.serves(assignment):
            actions.append(Remember(dict(self._trust.revisions)))
        return gone, actions

    def _refused(self, assignment: Assignment, reason: str) -> tuple[list[EpochKey], list[Action]]:
        """Report that an assignment is not run; whatever is at hand, of the same epoch even, stays."""
        key = (assignment.deployment, assignment.epoch)
        if key not in self._servings:
            self._servings[key] = self._failed(assignment, reason)
        return self._settled()

    def _has_room(self) -> bool:
        """Return whether there is room for one more epoch; one that failed gives way."""
        if len(self._servings) >= MOST_EPOCHS:
            failed = next((serving for serving in self if serving.state == "failed"), None)
            if failed is None:
                self.turned_away += 1
                return False
            self._remove(failed)
        return True

    def drain(self, now: float) -> tuple[list[EpochKey], list[Action]]:
        """End the epochs that drained; return them, and what follows."""
        for serving in self:
            if serving.state == "draining" and now - serving.last_used >= DRAIN_S:
                serving.move("drained")
        if any(serving.state == "gone" for serving in self):
            return self._settled()
        return [], []

    def fail_users(self, sha256: str, reason: str) -> list[Action]:
        """Fail the epochs that wait for an artifact which cannot be had or loaded."""
        for serving in self:
            part = serving.hashes.get(sha256)
            if part is not None and serving.state == "preparing":
                serving.fail(f"partition {part.id}: {reason}")
        self.holdings.lose(sha256)
        return self.settle()

    def condemn(self, sha256: str, reason: str) -> tuple[list[EpochKey], list[Action]]:
        """Fail every epoch that runs an artifact; return those that serve no more, and what follows."""
        for serving in self:
            part = serving.hashes.get(sha256)
            if part is not None:
                serving.fail(f"partition {part.id}: {reason}")
        ended = [serving.key for serving in self if serving.state in ("failed", "gone")]
        return ended, self.settle()

    def loaded(self, event: Loaded) -> list[Action]:
        """Take note of a session."""
        self.holdings.loaded(event)
        return self.settle()

    def settle(self) -> list[Action]:
        """Bring topics and sessions in line, then report whatever changed, in that order."""
        return self._settled()[1]

    def _settled(self) -> tuple[list[EpochKey], list[Action]]:
        gone = [serving for serving in self if serving.state == "gone"]
        for serving in gone:
            self._remove(serving)
        actions: list[Action] = []
        for serving in self:
            if serving.state == "preparing":
                actions += self._judge(serving)
        actions += self._reconcile()
        for serving in self:
            status = _status(serving)
            if status is not None and status != self._reported.get(serving.key):
                actions.append(self._report(serving, status))
        return [serving.key for serving in gone], actions

    def _begin(self, assignment: Assignment) -> Serving:
        try:
            serving = Serving(assignment, self._node, self._site)
        except ValueError as error:
            return self._failed(assignment, str(error))
        self._make_room(serving)
        return serving

    def _failed(self, assignment: Assignment, reason: str) -> Serving:
        nothing = assignment.model_copy(update={"partitions": (), "inputs": ()})
        serving = Serving(nothing, self._node, self._site)
        serving.fail(reason)
        return serving

    def _make_room(self, serving: Serving) -> None:
        """Evict what is in the way of an epoch and may be; fail it if it does not fit all the same."""
        evictable = [other for other in self if other.state == "draining"]
        if serving.assignment.makes_room:
            evictable += [
                other for other in self if other.state == "ready" and other.key[0] == serving.key[0]
            ]
        for other in evictable:
            if self._missing_bytes(serving) > 0:
                other.move("evicted")
        missing = self._missing_bytes(serving)
        if missing > 0 and serving.hashes:
            largest = max(serving.assignment.partitions, key=lambda part: part.memory_bytes)
            serving.fail(
                f"partition {largest.id} does not fit: {missing} bytes are missing of the "
                f"{self._memory_bytes + missing} needed"
            )

    def _missing_bytes(self, serving: Serving) -> int:
        """Return what an epoch lacks beside the others at hand; a shared artifact counts once."""
        others = [s for s in self if s.state not in ("failed", "gone") and s.key != serving.key]
        taken = sum(part.memory_bytes for part in _partitions([*others, serving]).values())
        return taken - self._memory_bytes

    def _remove(self, serving: Serving) -> None:
        self.given_up += serving.given_up
        del self._servings[serving.key]
        self._reported.pop(serving.key, None)

    def _judge(self, serving: Serving) -> list[Action]:
        """Call an epoch ready, or failed, once all that it needs is loaded; report how far it is."""
        said: list[Action] = []
        if serving.key not in self._reported and self.holdings.fetched(serving.hashes):
            said += self._progress(serving, "fetched")
        loaded = {sha256: self.holdings.session(sha256) for sha256 in serving.hashes}
        shapes: dict[str, tuple[int, ...]] = {}
        for sha256, session in loaded.items():
            part = serving.hashes[sha256]
            names = frozenset(part.inputs), frozenset(part.outputs)
            if session is not None and names != (session.inputs, session.outputs):
                serving.fail(f"partition {part.id}: the artifact has other inputs or outputs")
                return said
            if session is not None and (problem := serving.misfit(session.shapes, shapes)):
                serving.fail(f"partition {part.id}: {problem}")
                return said
            shapes |= {} if session is None else session.shapes
        if all(loaded.values()):
            serving.move("loaded")
            said += self._progress(serving, "loaded")
        return said

    def _progress(self, serving: Serving, status: ReportStatus) -> list[Action]:
        self._reported[serving.key] = status
        return [self._report(serving, status)] if serving.hashes else []

    def _reconcile(self) -> list[Action]:
        """Return the difference between what the epochs need and what is there."""
        filters = {f for serving in self if serving.takes_frames for f in serving.filters}
        parts = _partitions(serving for serving in self if serving.state != "failed")
        actions: list[Action] = [
            Subscribe(f, stream=True) for f in sorted(filters - self._subscribed)
        ]
        actions += [Unsubscribe(f) for f in sorted(self._subscribed - filters)]
        self._subscribed = filters
        return actions + self.holdings.want(parts)

    def _report(self, serving: Serving, status: ReportStatus) -> Publish:
        self._reported[serving.key] = status
        seconds = {
            part.id: session.seconds
            for sha256, part in serving.hashes.items()
            if (session := self.holdings.session(sha256)) is not None
        }
        report = Report(
            session=self._session,
            deployment=serving.key[0],
            epoch=serving.key[1],
            status=status,
            reason=serving.reason,
            seconds=seconds,
        )
        return Publish(NODE_REPORT.at(self._site, node=self._node), report.encode(), retain=True)


def _partitions(servings: Iterable[Serving]) -> dict[str, AssignedPartition]:
    """Return the partitions by the hash of their artifact, of those that share one the largest.

    A deployment that states less memory than it needs is not to have another's artifact refused.
    """
    parts: dict[str, AssignedPartition] = {}
    for serving in servings:
        for sha256, part in serving.hashes.items():
            known = parts.get(sha256, part)
            parts[sha256] = max(known, part, key=lambda each: each.memory_bytes)
    return parts


def _status(serving: Serving) -> ReportStatus | None:
    """Return what the coordinator is told of an epoch that is no longer being prepared."""
    if serving.state == "failed":
        return "failed"
    return "ready" if serving.takes_frames else None
