"""The fog node's decisions: events in, actions out, no I/O and no clock of its own.

An assignment goes through these states here; ``docs/protocol.md`` draws them from this table.

    preparing -> ready     every artifact fetched, checked and loaded; topics subscribed
    preparing -> failed    it does not fit, contradicts itself, or an artifact cannot be had or run
    ready     -> draining  a newer epoch of the deployment serves, or it is retired
    draining  -> (gone)    no frame of it for DRAIN_S seconds

The serving epoch is never touched by one that fails. Topics and sessions follow by diff: what
the assignments at hand need, less what is there.
"""

from collections import Counter
from typing import Final

from broker.actions import Publish, Stop
from broker.bus.seam import Message
from broker.codec import CodecError, decode_chunk, decode_tensor, encode_tensor
from broker.messages import (
    OFFLINE,
    ONLINE,
    Assignment,
    MessageError,
    NodeInfo,
    Report,
    ReportStatus,
)
from broker.topics import (
    FRAME,
    NODE_ARTIFACT,
    NODE_ASSIGNMENT,
    NODE_INFO,
    NODE_REPORT,
    NODE_STATE,
    RESULT,
    InvalidIdError,
    check_id,
)
from fog_node.events import (
    Absent,
    Action,
    Arrived,
    Event,
    Execute,
    Found,
    Loaded,
    LoadFailed,
    Ran,
    RunFailed,
    Subscribe,
    Unsubscribe,
)
from fog_node.holdings import Holdings
from fog_node.run_queue import RunQueue
from fog_node.serving import PartitionRun, Serving

DRAIN_S: Final = 2.0


class Agent:
    """One fog node; ``memory_bytes`` is what its partitions may take together."""

    def __init__(self, node: str, site: str, session: int, memory_bytes: int) -> None:
        self.node, self.site, self.session = node, site, session
        self.memory_bytes = memory_bytes
        self.counters: Counter[str] = Counter()
        self._servings: dict[tuple[str, int], Serving] = {}
        self._subscribed: set[str] = set()
        self._holdings = Holdings(node, site)
        self._reported: dict[tuple[str, int], ReportStatus] = {}
        self._retired_given_up = 0
        self._queue = RunQueue()
        self._running: tuple[PartitionRun, float] | None = None
        self._assignment_topic = NODE_ASSIGNMENT.at(site, node=node)
        self._artifact_topic = NODE_ARTIFACT.at(site, node=node)
        self._info_topic = NODE_INFO.at(site, node=node)
        self._state_topic = NODE_STATE.at(site, node=node)

    def start(self) -> list[Action]:
        """Return what a node does first."""
        return [
            Subscribe(self._state_topic, stream=False),
            Subscribe(self._artifact_topic, stream=False),
            Subscribe(self._assignment_topic, stream=False),
            Subscribe(self._info_topic, stream=False),
            Publish(self._state_topic, ONLINE, retain=True),
        ]

    def handle(self, event: Event, now: float) -> list[Action]:
        """Return what follows from an event; ``now`` is monotonic seconds."""
        match event:
            case Arrived(message):
                actions = self._arrived(message, now)
            case Found(sha256):
                self._holdings.found(sha256)
                actions = self._settle()
            case Absent(sha256):
                actions = self._holdings.absent(sha256, now)
            case Loaded():
                self.counters["loaded"] += 1
                self._holdings.loaded(event)
                actions = self._settle()
            case LoadFailed(sha256, reason):
                actions = self._fail_users(sha256, reason)
            case Ran():
                actions = self._ran(event, now)
            case RunFailed(_, reason):
                self._running = None
                self.counters["run_failed"] += 1
                actions = []
        return actions + self._dispatch(now)

    def tick(self, now: float) -> list[Action]:
        """Return what is due: joins without the missing, late chunks, drained epochs."""
        for serving in self._servings.values():
            for run in serving.expire(now):
                self._queue.push(run)
        actions: list[Action] = []
        for sha256, reason in self._holdings.hopeless(now).items():
            actions += self._fail_users(sha256, reason)
        actions += self._holdings.requests(now)
        drained = [
            serving
            for serving in self._servings.values()
            if serving.draining_since is not None
            and now - max(serving.draining_since, serving.last_used) >= DRAIN_S
        ]
        for serving in drained:
            self._retire(serving)
        if drained:
            actions += self._settle()
        return actions + self._dispatch(now)

    def next_tick(self) -> float | None:
        """Return when :meth:`tick` is due at the latest for a join, None if none waits."""
        times = [t for s in self._servings.values() if (t := s.next_expiry()) is not None]
        return min(times, default=None)

    @property
    def epoch(self) -> int:
        """The newest epoch that is ready here, 0 if none is."""
        return max((s.key[1] for s in self._servings.values() if s.status == "ready"), default=0)

    @property
    def waiting_runs(self) -> int:
        """How many runs wait for the processor."""
        return len(self._queue)

    def tally(self) -> dict[str, int]:
        """Return all counters since the start, by name."""
        total = self.counters + self._queue.drops
        total["chunks"] += self._holdings.chunks
        total["artifact_refused"] += self._holdings.refused
        total["given_up"] += self._retired_given_up + sum(
            serving.given_up for serving in self._servings.values()
        )
        return dict(total)

    # --- messages ---------------------------------------------------------------------------

    def _arrived(self, message: Message, now: float) -> list[Action]:
        topic = message.topic
        if topic == self._state_topic:
            # An older session's will may come after we are back; who is there says so.
            stale = message.payload == OFFLINE
            return [Publish(self._state_topic, ONLINE, retain=True)] if stale else []
        if topic == self._info_topic:
            return self._namesake(message.payload)
        if topic == self._assignment_topic:
            return self._assigned(message.payload, now) if message.payload else []
        if topic == self._artifact_topic:
            return self._chunk(message.payload, now)
        try:
            self._take(message, now)
        except CodecError as error:
            self.counters[f"bad_{error.kind}"] += 1
        except (ValueError, MemoryError):
            # An assignment whose input contradicts its tensors must not end the node with each frame.
            self.counters["bad_input"] += 1
        return []

    def _namesake(self, payload: bytes) -> list[Action]:
        """Give way to a node of the same id that started later; two would take turns for ever."""
        try:
            newer = bool(payload) and NodeInfo.decode(payload).session > self.session
        except MessageError:
            newer = False
        return [Stop(f"another fog-node took the id {self.node}")] if newer else []

    def _take(self, message: Message, now: float) -> None:
        tensor = decode_tensor(message.payload, now)
        serving = self._servings.get((tensor.header.deployment, tensor.header.epoch))
        is_frame = FRAME.names(message.topic) is not None
        ready = serving is not None and serving.status == "ready"
        if serving is None or not ready or (is_frame and not serving.takes_pictures):
            # Frames of all epochs come by one topic, so during a redeploy this is nobody's fault.
            self.counters["other_epoch"] += 1
            return
        if message.topic != serving.topic_of_input(tensor.tensor, tensor.header.camera):
            raise CodecError("topic", f"tensor {tensor.tensor} came by another's topic")
        for run in serving.accept(tensor, now):
            self._queue.push(run)
        self.counters["frames" if is_frame else "tensors"] += 1

    def _assigned(self, payload: bytes, now: float) -> list[Action]:
        try:
            assignment = Assignment.decode(payload)
            check_id("deployment", assignment.deployment)
        except (MessageError, InvalidIdError):
            self.counters["bad_assignment"] += 1
            return []
        key = (assignment.deployment, assignment.epoch)
        rivals = [s for s in self._servings.values() if s.key[0] == key[0]]
        if any(serving.key > key for serving in rivals):
            self.counters["stale_assignment"] += 1
            return []
        for serving in rivals:
            # An epoch that never served and has a successor never will.
            if serving.key < key and serving.phase == "prepare":
                self._retire(serving)
        known = self._servings.get(key)
        if known is not None and known.told(assignment):
            known.phase = assignment.phase
            self._reported.pop(key, None)  # who says it again wants to hear the report again
        else:
            if known is not None:
                self._retire(known)
            self._servings[key] = self._begin(assignment)
        if assignment.phase != "prepare":
            for serving in self._servings.values():
                leaves = serving.key < key or assignment.phase == "retire"
                if serving.key[0] == key[0] and leaves and serving.draining_since is None:
                    serving.draining_since = now
        return self._settle()

    def _begin(self, assignment: Assignment) -> Serving:
        try:
            serving = Serving(assignment, self.node, self.site)
        except ValueError as error:
            nothing = assignment.model_copy(update={"partitions": (), "inputs": ()})
            serving = Serving(nothing, self.node, self.site)
            serving.fail(str(error))
            return serving
        self._check_memory(serving)
        return serving

    def _check_memory(self, serving: Serving) -> None:
        taken = {
            sha256: part.memory_bytes
            for other in [*self._servings.values(), serving]
            if other.status != "failed"
            for sha256, part in other.hashes.items()
        }
        missing = sum(taken.values()) - self.memory_bytes
        if missing > 0 and serving.hashes:
            largest = max(serving.assignment.partitions, key=lambda part: part.memory_bytes)
            serving.fail(
                f"partition {largest.id} does not fit: {missing} bytes are missing of the "
                f"{sum(taken.values())} needed"
            )

    def _retire(self, serving: Serving) -> None:
        self._retired_given_up += serving.given_up
        del self._servings[serving.key]
        self._reported.pop(serving.key, None)
        self._queue.forget(*serving.key)

    # --- artifacts and sessions -------------------------------------------------------------

    def _chunk(self, payload: bytes, now: float) -> list[Action]:
        try:
            chunk = decode_chunk(payload)
        except CodecError as error:
            self.counters[f"bad_{error.kind}"] += 1
            return []
        return self._holdings.take(chunk, now) + self._settle()

    def _fail_users(self, sha256: str, reason: str) -> list[Action]:
        for serving in self._servings.values():
            part = serving.hashes.get(sha256)
            if part is not None and serving.status == "preparing":
                serving.fail(f"partition {part.id}: {reason}")
        self._holdings.lose(sha256)
        return self._settle()

    def _settle(self) -> list[Action]:
        """Bring topics and sessions in line, then report whatever changed, in that order."""
        actions: list[Action] = []
        for serving in self._servings.values():
            if serving.status == "preparing":
                actions += self._judge(serving)
        actions += self._reconcile()
        for key, serving in self._servings.items():
            status = serving.status
            if status != "preparing" and status != self._reported.get(key):
                self._reported[key] = status
                actions.append(self._report(serving, status))
        return actions

    def _judge(self, serving: Serving) -> list[Action]:
        """Call an epoch ready, or failed, once all that it needs is loaded; report how far it is."""
        said: list[Action] = []
        if serving.key not in self._reported and self._holdings.fetched(serving.hashes):
            said += self._progress(serving, "fetched")
        loaded = {sha256: self._holdings.session(sha256) for sha256 in serving.hashes}
        for sha256, session in loaded.items():
            part = serving.hashes[sha256]
            names = frozenset(part.inputs), frozenset(part.outputs)
            if session is not None and names != (session.inputs, session.outputs):
                serving.fail(f"partition {part.id}: the artifact has other inputs or outputs")
                return said
        if all(loaded.values()):
            serving.status = "ready"
            said += self._progress(serving, "loaded")
        return said

    def _progress(self, serving: Serving, status: ReportStatus) -> list[Action]:
        self._reported[serving.key] = status
        return [self._report(serving, status)] if serving.hashes else []

    def _reconcile(self) -> list[Action]:
        """Return the difference between what the assignments need and what is there."""
        alive = [s for s in self._servings.values() if s.status != "failed"]
        filters = {f for s in alive if s.status == "ready" for f in s.filters}
        sizes = {sha256: part.bytes for s in alive for sha256, part in s.hashes.items()}
        actions: list[Action] = [
            Subscribe(f, stream=True) for f in sorted(filters - self._subscribed)
        ]
        actions += [Unsubscribe(f) for f in sorted(self._subscribed - filters)]
        self._subscribed = filters
        return actions + self._holdings.want(sizes)

    def _report(self, serving: Serving, status: ReportStatus) -> Publish:
        seconds = {
            part.id: session.seconds
            for sha256, part in serving.hashes.items()
            if (session := self._holdings.session(sha256)) is not None
        }
        report = Report(
            session=self.session,
            deployment=serving.key[0],
            epoch=serving.key[1],
            status=status,
            reason=serving.reason,
            seconds=seconds,
        )
        return Publish(NODE_REPORT.at(self.site, node=self.node), report.encode(), retain=True)

    # --- runs -------------------------------------------------------------------------------

    def _dispatch(self, now: float) -> list[Action]:
        if self._running is not None:
            return []
        run = self._queue.pop(now)
        if run is None:
            return []
        self._running = (run, now)
        return [Execute(run)]

    def _ran(self, event: Ran, now: float) -> list[Action]:
        started = now if self._running is None else self._running[1]
        self._running = None
        self.counters["runs"] += 1
        run, header = event.run, event.run.header
        serving = self._servings.get((header.deployment, header.epoch))
        if serving is None:
            return []
        produced = serving.produced(run, event.outputs, started, event.seconds, now)
        for follower in produced.runs:
            self._queue.push(follower)
        actions: list[Action] = []
        for tensor in produced.tensors:
            try:
                payload = encode_tensor(tensor, now)
            except CodecError as error:
                self.counters[f"bad_{error.kind}"] += 1
                continue
            topic = serving.topic_of_output(tensor.tensor)
            actions.append(Publish(topic, payload, stream=True))
        if produced.result is not None:
            self.counters["answers"] += 1
            self.counters["incomplete"] += bool(produced.result.missing)
            topic = RESULT.at(
                self.site, deployment=header.deployment, camera=header.camera, node=self.node
            )
            actions.append(Publish(topic, produced.result.encode()))
        return actions
