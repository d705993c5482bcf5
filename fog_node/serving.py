"""One epoch of one deployment on this fog node: which tensors it takes, joins, runs and sends on. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from numpy.typing import NDArray

from broker.codec import CodecError
from broker.frame import FrameKey, FrameTensor, Hop
from broker.messages import AssignedPartition, Assignment, Result
from broker.tensor_specs import AssignedInput
from broker.topics import FRAME, RESULT, TENSOR, InvalidIdError, check_id, escape
from fog_node.answer import answer
from fog_node.join import Join, Joined
from fog_node.partition_run import PartitionRun
from fog_node.pixels import normalised
from fog_node.standby import Standby

_JOIN_PATIENCE_S: Final = 5.0
"""How long a partition that needs all of its inputs waits for one that is silent."""

Shape = tuple[int, ...]
ServingState = Literal["preparing", "ready", "draining", "failed", "gone"]
ServingEvent = Literal["loaded", "failed", "replaced", "superseded", "evicted", "drained"]

TRANSITIONS: Final[dict[tuple[ServingState, ServingEvent], ServingState]] = {
    ("preparing", "loaded"): "ready",
    ("preparing", "failed"): "failed",
    ("preparing", "replaced"): "gone",
    ("preparing", "superseded"): "gone",
    ("ready", "replaced"): "gone",
    ("ready", "superseded"): "draining",
    ("ready", "evicted"): "gone",
    ("ready", "failed"): "failed",
    ("failed", "replaced"): "gone",
    ("failed", "superseded"): "gone",
    ("draining", "evicted"): "gone",
    ("draining", "drained"): "gone",
    ("draining", "failed"): "gone",
}
"""The life of an epoch on a fog node; whoever edits it edits the table in ``docs/protocol.md``, and a
test compares the two. What is not in it changes nothing.

    loaded      every artifact is fetched, checked and loaded, and the topics are subscribed
    failed      it does not fit, contradicts itself, or an artifact cannot be had or run, or a run
                of it did not end
    replaced    a newer epoch is prepared, and this one was never told to serve
    superseded  a newer epoch serves, or the deployment is retired
    evicted     a newer epoch needs its memory, and it drains, or the newer one may make room
    drained     no frame of it came for a while
"""


@dataclass(frozen=True, slots=True)
class Produced:
    """What a run led to: more runs here, tensors for other nodes, and the answer."""

    runs: list[PartitionRun]
    tensors: list[FrameTensor]
    result: Result | None


class Serving:
    """An assignment at work.

    Raises:
        ValueError: the assignment contradicts itself; the sentence names the partition.
    """

    def __init__(self, assignment: Assignment, node: str, site: str) -> None:
        self.assignment = assignment
        self.phase = assignment.phase
        self.state: ServingState = "preparing"
        self.reason = ""
        self.last_used = 0.0
        """When a frame of it was last seen, or else it began to drain."""
        self._node, self._site = node, site
        self._first = ""
        self._specs = {spec.id: spec for spec in assignment.inputs}
        self._consumers: dict[str, list[AssignedPartition]] = defaultdict(list)
        self._joins: dict[str, Join] = {}
        self._standbys: dict[str, Standby] = {}
        made_here = {name for part in assignment.partitions for name in part.outputs}
        for spec in assignment.inputs:
            if not self.is_picture(spec.id):
                check_id(f"input {spec.id}: node", spec.node)
        for part in assignment.partitions:
            for name in part.inputs:
                if name not in self._specs and name not in made_here:
                    raise ValueError(f"partition {part.id}: nobody makes its input {name}")
                self._consumers[name].append(part)
            if part.fusion is not None and len(part.outputs) != 1:
                raise ValueError(f"partition {part.id}: a fusion has one output")
            if len(part.inputs) > 1:
                needed = part.fusion.min_inputs if part.fusion else len(part.inputs)
                patience_s = part.fusion.patience_s if part.fusion else _JOIN_PATIENCE_S
                self._joins[part.id] = Join(part.inputs, max(1, needed), patience_s)
            if part.fusion is not None and part.fusion.first:
                self._standbys[part.id] = Standby()
                self._first = check_id(f"partition {part.id}: first", part.fusion.first)

    def told(self, assignment: Assignment) -> bool:
        """Return whether this is what it was told already, in whatever phase, with room or without."""
        how = {"phase": self.assignment.phase, "makes_room": self.assignment.makes_room}
        return assignment.model_copy(update=how) == self.assignment

    def move(self, event: ServingEvent) -> bool:
        """Go where an event leads (``TRANSITIONS``); return whether that is somewhere else."""
        before = self.state
        self.state = TRANSITIONS.get((before, event), before)
        return self.state != before

    def fail(self, reason: str) -> None:
        """Give the epoch up; whatever else serves goes on."""
        if self.move("failed"):
            self.reason = reason

    def misfit(self, shapes: Mapping[str, Shape], others: Mapping[str, Shape]) -> str:
        """Return what an artifact takes or gives in another shape than is told, or than ``others`` do."""
        told = {**others, **{name: spec.shape for name, spec in self._specs.items()}}
        for name, shape in shapes.items():
            if told.get(name, shape) != shape:
                return f"the artifact has {name} as {shape}, not as {told[name]}"
        return ""

    @property
    def takes_frames(self) -> bool:
        """Whether frames of this epoch are worked on."""
        return self.state in ("ready", "draining")

    @property
    def key(self) -> tuple[str, int]:
        """Deployment and epoch."""
        return self.assignment.deployment, self.assignment.epoch

    @property
    def hashes(self) -> dict[str, AssignedPartition]:
        """The partitions by the hash of their artifact."""
        return {part.sha256: part for part in self.assignment.partitions}

    @property
    def filters(self) -> set[str]:
        """The topics that its inputs come by."""
        topics = {self.topic_of_input(name, camera="+") for name in self._specs}
        if self._first:
            topics.add(RESULT.every(self._site, deployment=self.key[0], node=self._first))
        return topics

    def is_picture(self, tensor: str) -> bool:
        """Return whether this is what the cameras send."""
        return self.assignment.input is not None and tensor == self.assignment.input.name

    @property
    def takes_pictures(self) -> bool:
        """Return whether frames are among its inputs."""
        return any(map(self.is_picture, self._specs))

    def topic_of_input(self, tensor: str, camera: str) -> str:
        """Return where an input comes from: a picture from its camera, others from their maker.

        Raises:
            CodecError: it is no input of this epoch here.
        """
        if self.is_picture(tensor):
            return FRAME.at(self._site, deployment=self.key[0], camera=camera)
        return self._tensor_topic(tensor, self._input(tensor).node)

    def _input(self, tensor: str) -> AssignedInput:
        spec = self._specs.get(tensor)
        if spec is None:
            raise CodecError("unknown_tensor", f"tensor {tensor} is not taken here")
        return spec

    def topic_of_output(self, tensor: str) -> str:
        """Return where an output goes."""
        return self._tensor_topic(tensor, self._node)

    def _tensor_topic(self, tensor: str, node: str) -> str:
        deployment, epoch = self.key
        return TENSOR.at(
            self._site, deployment=deployment, epoch=str(epoch), node=node, tensor=escape(tensor)
        )

    def accept(self, message: FrameTensor, now: float) -> list[PartitionRun]:
        """Take a frame or tensor from the broker; return what can run.

        Raises:
            CodecError: it is not a tensor this epoch takes here, or lies about its shape.
        """
        self._check(message)
        self.last_used = now
        data = normalised(message.data, self.assignment.input, message.tensor)
        return self._feed(FrameTensor(message.header, message.tensor, data), now)

    def _check(self, message: FrameTensor) -> None:
        spec = self._input(message.tensor)
        if message.data.shape != spec.shape:
            raise CodecError(
                "shape", f"tensor {message.tensor}: {message.data.shape}, not {spec.shape}"
            )
        dtypes = {spec.dtype, "uint8"} if self.is_picture(spec.id) else {spec.dtype}
        if message.data.dtype.name not in dtypes:
            raise CodecError(
                "dtype", f"tensor {message.tensor}: {message.data.dtype}, not {spec.dtype}"
            )
        try:
            check_id("camera", message.header.camera)
        except InvalidIdError as error:
            raise CodecError("header", str(error)) from None

    def _feed(self, tensor: FrameTensor, now: float) -> list[PartitionRun]:
        runs = []
        for part in self._consumers[tensor.tensor]:
            join = self._joins.get(part.id)
            if join is None:
                runs += self._ready(
                    part, Joined(tensor.header.key, {tensor.tensor: tensor}, ()), now
                )
            elif joined := join.add(tensor, now):
                runs += self._ready(part, joined, now)
        return runs

    def _ready(self, part: AssignedPartition, joined: Joined, now: float) -> list[PartitionRun]:
        run = PartitionRun.of(part, joined.inputs, joined.missing, now)
        standby = self._standbys.get(part.id)
        return [run] if standby is None else standby.joined(run, now)

    def first_answered(self, key: FrameKey) -> None:
        """Take note that the first fusion, whose standby this is, answered a frame."""
        for standby in self._standbys.values():
            standby.heard(key)

    def is_standby_of(self, node: str) -> bool:
        """Return whether the fusion of that node is the first, and this one its standby."""
        return bool(node) and node == self._first

    def expire(self, now: float) -> list[PartitionRun]:
        """Return the runs that go without some of their inputs, or without the first fusion, now."""
        runs: list[PartitionRun] = []
        if self.state == "failed":
            return runs
        for part in self.assignment.partitions:
            if (join := self._joins.get(part.id)) is not None:
                for joined in join.expire(now):
                    runs += self._ready(part, joined, now)
            if (standby := self._standbys.get(part.id)) is not None:
                runs += standby.due(now)
        return runs

    def next_expiry(self) -> float | None:
        """Return when :meth:`expire` has something to do, in the seconds of ``now``."""
        if self.state == "failed":
            return None
        times = [join.next_expiry() for join in self._joins.values()]
        times += [standby.next_due() for standby in self._standbys.values()]
        return min((time for time in times if time is not None), default=None)

    @property
    def given_up(self) -> int:
        """Frames that a join gave up so far."""
        return sum(join.given_up for join in self._joins.values())

    def produced(
        self,
        run: PartitionRun,
        outputs: dict[str, NDArray[Any]],
        started: float,
        seconds: float,
        now: float,
    ) -> Produced:
        """Return what follows from a finished run that started at ``started`` and took ``seconds``."""
        self.last_used = now
        queued_s = max(0.0, started - run.ready_at)
        header = run.header.after(Hop(run.partition.id, self._node, queued_s, seconds))
        if run.partition.fusion is not None:
            (logits,) = outputs.values()
            told = self.assignment
            result = answer(header, run.missing, logits, told.classes, told.calibration, now=now)
            return Produced([], [], result)
        tensors = [FrameTensor(header, name, data) for name, data in outputs.items()]
        return Produced(
            [follower for tensor in tensors for follower in self._feed(tensor, now)],
            [tensor for tensor in tensors if tensor.tensor in self.assignment.outputs],
            None,
        )
