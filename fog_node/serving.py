"""One epoch of one deployment on this fog node: which tensors it takes, joins, runs and sends on. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from broker.codec import CodecError
from broker.frame import FrameHeader, FrameTensor, Hop, joined
from broker.messages import AssignedInput, AssignedPartition, Assignment, HopTime, InputSpec, Result
from broker.topics import FRAME, TENSOR, InvalidIdError, check_id, escape
from fog_node.join import Join

_JOIN_PATIENCE_S: Final = 5.0
"""How long a partition that needs all of its inputs waits for the rest of them."""

ServingStatus = Literal["preparing", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class PartitionRun:
    """One partition to run on one frame.

    ``inputs`` by tensor, each of the shape of its TensorSpec; those in ``missing`` count as zeros.
    ``ready_at`` is when all of them were there, monotonic seconds.
    """

    header: FrameHeader
    partition: AssignedPartition
    inputs: dict[str, NDArray[Any]]
    missing: tuple[str, ...]
    ready_at: float


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
        self.status: ServingStatus = "preparing"
        self.reason = ""
        self.draining_since: float | None = None
        self.last_used = 0.0
        self._node, self._site = node, site
        self._specs = {spec.id: spec for spec in assignment.inputs}
        self._consumers: dict[str, list[AssignedPartition]] = defaultdict(list)
        self._joins: dict[str, Join] = {}
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

    def told(self, assignment: Assignment) -> bool:
        """Return whether this is what it was told already, in whatever phase."""
        return assignment.model_copy(update={"phase": self.assignment.phase}) == self.assignment

    def fail(self, reason: str) -> None:
        """Give the epoch up; whatever else serves goes on."""
        self.status, self.reason = "failed", reason

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
        return {self.topic_of_input(name, camera="+") for name in self._specs}

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
                runs.append(_run(part, {tensor.tensor: tensor}, (), now))
            elif joined := join.add(tensor, now):
                runs.append(_run(part, joined.inputs, joined.missing, now))
        return runs

    def expire(self, now: float) -> list[PartitionRun]:
        """Return the runs that go without some of their inputs now."""
        return [
            _run(part, joined.inputs, joined.missing, now)
            for part in self.assignment.partitions
            if (join := self._joins.get(part.id)) is not None
            for joined in join.expire(now)
        ]

    def next_expiry(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = [time for join in self._joins.values() if (time := join.next_expiry()) is not None]
        return min(times, default=None)

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
            return Produced([], [], self._answer(header, run.missing, logits))
        tensors = [FrameTensor(header, name, data) for name, data in outputs.items()]
        return Produced(
            [follower for tensor in tensors for follower in self._feed(tensor, now)],
            [tensor for tensor in tensors if tensor.tensor in self.assignment.outputs],
            None,
        )

    def _answer(
        self, header: FrameHeader, missing: tuple[str, ...], logits: NDArray[Any]
    ) -> Result:
        # A network gone wrong answers too, with no confidence.
        flat = np.nan_to_num(logits.reshape(-1).astype(np.float64))
        sound = flat.size > 0 and bool(np.isfinite(logits).all())
        best = int(flat.argmax()) if flat.size else 0
        confidence = 1.0 / float(np.exp(flat - flat[best]).sum()) if sound else 0.0
        classes = self.assignment.classes
        return Result(
            deployment=header.deployment,
            camera=header.camera,
            frame_id=header.frame_id,
            source=header.source,
            label=classes[best] if best < len(classes) else str(best),
            confidence=confidence,
            epoch=header.epoch,
            missing=missing,
            latency=tuple(
                HopTime(
                    partition=hop.partition, node=hop.node, queued_s=hop.queued_s, run_s=hop.run_s
                )
                for hop in header.trace
            ),
        )


def _run(
    part: AssignedPartition, tensors: dict[str, FrameTensor], missing: tuple[str, ...], now: float
) -> PartitionRun:
    header = joined(tensor.header for tensor in tensors.values())
    inputs = {name: tensor.data for name, tensor in tensors.items()}
    return PartitionRun(header, part, inputs, missing, now)


def normalised(data: NDArray[Any], picture: InputSpec | None, tensor: str) -> NDArray[Any]:
    """Return what the network takes: pixels (uint8) of a frame become ``(p / 255 - mean) / std``.

    Shape (1, C, H, W); frames travel as pixels, a quarter of the bytes of float32.
    """
    if picture is None or tensor != picture.name or data.dtype != np.uint8:
        return data
    mean = np.asarray(picture.mean, np.float32).reshape(1, -1, 1, 1)
    std = np.asarray(picture.std, np.float32).reshape(1, -1, 1, 1)
    return (data.astype(np.float32) / np.float32(255.0) - mean) / std
