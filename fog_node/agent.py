"""The fog node's decisions: events in, actions out, no I/O and no clock of its own.

Begin reading at ``serving.py``, whose table is the life of an epoch; ``epochs.py`` keeps them all.
The agent sorts what arrives; ``processor.py`` keeps the processor busy.
"""

from collections.abc import Callable, Sequence

from broker.access.trust import Trust
from broker.actions import Publish
from broker.bus.seam import Message
from broker.codec import CodecError, decode_chunk, decode_tensor
from broker.messages import ArtifactRequest, Assignment, Result
from broker.payload import MessageError
from broker.topics import (
    COORDINATOR_GET,
    FRAME,
    NODE_ARTIFACT,
    NODE_ASSIGNMENT,
    RESULT,
    InvalidIdError,
    check_id,
)
from fog_node.counters import Counters
from fog_node.epochs import EpochKey, Epochs
from fog_node.events import (
    Absent,
    Action,
    Arrived,
    Event,
    Found,
    Give,
    Loaded,
    LoadFailed,
    Overran,
    Ran,
    RunFailed,
    Subscribe,
)
from fog_node.observations import Observations
from fog_node.presence import Presence
from fog_node.processor import Processor


class Agent:
    """One fog node; ``memory_bytes`` is what its partitions may take together."""

    def __init__(
        self, node: str, site: str, session: int, memory_bytes: int, trust: Trust | None = None
    ) -> None:
        self.node, self.site, self.session = node, site, session
        self.counters = Counters()
        self.observations = Observations()
        self.epochs = Epochs(node, site, session, memory_bytes, trust or Trust())
        self._processor = Processor(node, site, self.epochs, self.counters, self.observations)
        self.presence = Presence(node, site, session)
        self._control: dict[str, Callable[[bytes, float], Sequence[Action]]] = {
            self.presence.state: self.presence.heard_state,
            self.presence.info: self.presence.heard_info,
            self.presence.report: self.presence.heard_report,
            NODE_ARTIFACT.at(site, node=node): self._chunk,
            COORDINATOR_GET.at(site): self._requested,
            NODE_ASSIGNMENT.at(site, node=node): self._assigned,
        }

    def start(self) -> list[Action]:
        """Return what a node does first."""
        return [
            *(Subscribe(topic, stream=False) for topic in self._control),
            self.presence.come(),
        ]

    def handle(self, event: Event, now: float) -> list[Action]:
        """Return what follows from an event; ``now`` is monotonic seconds."""
        holdings = self.epochs.holdings
        match event:
            case Arrived(message):
                actions = self._arrived(message, now)
            case Found(sha256):
                holdings.found(sha256)
                actions = self.epochs.settle()
            case Absent(sha256):
                actions = holdings.absent(sha256, now)
            case Loaded():
                self.counters.count("loaded")
                actions = self.epochs.loaded(event)
            case LoadFailed(sha256, reason):
                actions = self.epochs.fail_users(sha256, reason)
            case Ran():
                actions = self._processor.ran(event, now)
            case RunFailed(run):
                actions = self._processor.failed(run)
            case Overran(run, reason):
                self.counters.count("overran")
                actions = self._processor.failed(run)
                actions += self._ended(*self.epochs.condemn(run.partition.sha256, reason))
        return self._said(actions + self._processor.dispatch(now))

    def tick(self, now: float) -> list[Action]:
        """Return what is due: joins without the missing, late chunks, drained epochs."""
        actions: list[Action] = []
        for serving in self.epochs:
            actions += self._processor.enqueue(serving, serving.expire(now), now)
        holdings = self.epochs.holdings
        for sha256, reason in holdings.hopeless(now).items():
            actions += self.epochs.fail_users(sha256, reason)
        actions += holdings.requests(now)
        actions += self._ended(*self.epochs.drain(now))
        said = self._said(actions + self._processor.dispatch(now))
        return [*said, *self.presence.tick(now)]

    def _said(self, actions: list[Action]) -> list[Action]:
        """Take note of what we are to say on a retained topic of ours."""
        for action in actions:
            if isinstance(action, Publish) and action.retain:
                self.presence.said(action)
        return actions

    def next_tick(self) -> float | None:
        """Return when :meth:`tick` is due at the latest for a join, None if none waits."""
        times = [serving.next_expiry() for serving in self.epochs]
        return min((time for time in times if time is not None), default=None)

    @property
    def waiting_runs(self) -> int:
        """How many runs wait for the processor."""
        return self._processor.waiting

    def totals(self) -> dict[str, int]:
        """Return all counters since the start, by name (``counters.DECLARED``)."""
        totals = Counters()
        holdings = self.epochs.holdings
        elsewhere = {
            **self._processor.drops,
            "chunks": holdings.chunks,
            "artifact_refused": holdings.refused,
            "turned_away": self.epochs.turned_away,
            "given_up": self.epochs.given_up + sum(s.given_up for s in self.epochs),
        }
        for name, count in [*self.counters.totals().items(), *elsewhere.items()]:
            totals.count(name, count)
        return totals.totals()

    # --- messages ---------------------------------------------------------------------------

    def _arrived(self, message: Message, now: float) -> list[Action]:
        control = self._control.get(message.topic)
        if control is not None:
            return [*control(message.payload, now)]
        self.counters.count("received_bytes", len(message.payload))
        try:
            if names := RESULT.names(message.topic):
                return self._first_answered(names, message.payload)
            return self._take(message, now)
        except CodecError as error:
            self.counters.count(f"bad_{error.kind}")
        except (ValueError, MemoryError):
            # An assignment whose input contradicts its tensors must not end the node with each frame.
            self.counters.count("bad_input")
        return []

    def _take(self, message: Message, now: float) -> list[Action]:
        tensor = decode_tensor(message.payload, now)
        serving = self.epochs.get(tensor.header.deployment, tensor.header.epoch)
        is_frame = FRAME.names(message.topic) is not None
        if serving is None or not serving.takes_frames or (is_frame and not serving.takes_pictures):
            # Frames of all epochs come by one topic, so during a redeploy this is nobody's fault.
            self.counters.count("other_epoch")
            return []
        if message.topic != serving.topic_of_input(tensor.tensor, tensor.header.camera):
            raise CodecError("topic", f"tensor {tensor.tensor} came by another's topic")
        runs = serving.accept(tensor, now)
        self.counters.count("frames" if is_frame else "tensors")
        return self._processor.enqueue(serving, runs, now)

    def _first_answered(self, names: dict[str, str], payload: bytes) -> list[Action]:
        try:
            result = Result.decode(payload, deployment=names["deployment"], camera=names["camera"])
        except MessageError:
            self.counters.count("bad_result")
            return []
        serving = self.epochs.get(names["deployment"], result.epoch)
        if serving is not None and serving.is_standby_of(names["node"]):
            serving.first_answered((names["camera"], result.frame_id))
        return []

    def _assigned(self, payload: bytes, now: float) -> list[Action]:
        if not payload:
            return []
        try:
            assignment = Assignment.decode(payload)
            check_id("deployment", assignment.deployment)
        except (MessageError, InvalidIdError):
            self.counters.count("bad_assignment")
            return []
        if self.epochs.is_stale(assignment):
            self.counters.count("stale_assignment")
            return []
        return self._ended(*self.epochs.assign(assignment, now))

    def _ended(self, gone: list[EpochKey], actions: list[Action]) -> list[Action]:
        """Forget what waits for epochs that are gone."""
        for key in gone:
            self._processor.forget(*key)
        if gone:
            self.observations.forget({serving.key[0] for serving in self.epochs})
        return actions

    def _chunk(self, payload: bytes, now: float) -> list[Action]:
        try:
            chunk = decode_chunk(payload)
        except CodecError as error:
            self.counters.count(f"bad_{error.kind}")
            return []
        return self.epochs.holdings.take(chunk, now) + self.epochs.settle()

    def _requested(self, payload: bytes, _now: float) -> list[Action]:
        """Give the coordinator a chunk of an artifact that it lost."""
        try:
            request = ArtifactRequest.decode(payload)
        except MessageError:
            self.counters.count("bad_request")
            return []
        if request.holder != self.node:
            return []
        self.counters.count("given")
        return [Give(request)]
