"""One epoch of one deployment on this fog node: which tensors it takes, joins, runs and sends on. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from broker.codec import CodecError, Hop, TensorMessage
from broker.messages import AssignedPartition, Assignment, HopTime, InputSpec, Result
from broker.topics import FRAME, TENSOR, InvalidIdError, check_id, escape
from fog_node.join import Join, Piece

_JOIN_PATIENCE_S: Final = 5.0
"""How long a partition that needs all of its inputs waits for the rest of them."""

ServingStatus = Literal["preparing", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Run:
    """One partition to run on one frame; the inputs in ``missing`` are taken as zeros."""

    deployment: str
    epoch: int
    partition: AssignedPartition
    camera: str
    frame_id: int
    inputs: dict[str, NDArray[Any]]
    missing: tuple[str, ...]
    expires_at: float | None
    trace: tuple[Hop, ...]
    ready_at: float


@dataclass(frozen=True, slots=True)
class Produced:
    """What a run led to: more runs here, tensors for other nodes, and the answer."""

    runs: list[Run]
    tensors: list[TensorMessage]
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
        return {self.topic(name, camera="+") for name in self._specs}

    def is_picture(self, tensor: str) -> bool:
        """Return whether this is what the cameras send."""
        return self.assignment.input is not None and tensor == self.assignment.input.name

    @property
    def takes_pictures(self) -> bool:
        """Return whether frames are among its inputs."""
        return any(map(self.is_picture, self._specs))

    def topic(self, tensor: str, camera: str) -> str:
        """Return where a tensor travels: a picture by its camera's topic, others by their own."""
        deployment, epoch = self.key
        if self.is_picture(tensor):
            return FRAME.at(self._site, deployment=deployment, camera=camera)
        return TENSOR.at(self._site, deployment=deployment, epoch=str(epoch), tensor=escape(tensor))

    def accept(self, message: TensorMessage, now: float) -> list[Run]:
        """Take a frame or tensor from the broker; return what can run.

        Raises:
            CodecError: it is not a tensor this epoch takes here, or lies about its shape.
        """
        self._check(message)
        self.last_used = now
        piece = Piece(
            camera=message.camera,
            frame_id=message.frame_id,
            data=normalised(message.data, self.assignment.input, message.tensor),
            expires_at=None if message.deadline is None else now + message.deadline,
            trace=message.trace,
        )
        return self._feed(message.tensor, piece, now)

    def _check(self, message: TensorMessage) -> None:
        spec = self._specs.get(message.tensor)
        if spec is None:
            raise CodecError("unknown_tensor", f"tensor {message.tensor} is not taken here")
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
            check_id("camera", message.camera)
        except InvalidIdError as error:
            raise CodecError("header", str(error)) from None

    def _feed(self, tensor: str, piece: Piece, now: float) -> list[Run]:
        runs = []
        for part in self._consumers[tensor]:
            join = self._joins.get(part.id)
            if join is None:
                runs.append(self._run(part, {tensor: piece}, (), now))
            elif joined := join.add(tensor, piece, now):
                runs.append(self._run(part, joined.inputs, joined.missing, now))
        return runs

    def _run(
        self,
        part: AssignedPartition,
        pieces: dict[str, Piece],
        missing: tuple[str, ...],
        now: float,
    ) -> Run:
        first = next(iter(pieces.values()))
        expiries = [p.expires_at for p in pieces.values() if p.expires_at is not None]
        # Branches share the way up to a fork; a hop is told once.
        trace = tuple(dict.fromkeys(hop for piece in pieces.values() for hop in piece.trace))
        deployment, epoch = self.key
        return Run(
            deployment=deployment,
            epoch=epoch,
            partition=part,
            camera=first.camera,
            frame_id=first.frame_id,
            inputs={name: piece.data for name, piece in pieces.items()},
            missing=missing,
            expires_at=min(expiries, default=None),
            trace=trace,
            ready_at=now,
        )

    def expire(self, now: float) -> list[Run]:
        """Return the runs that go without some of their inputs now."""
        return [
            self._run(part, joined.inputs, joined.missing, now)
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
        self, run: Run, outputs: dict[str, NDArray[Any]], started: float, seconds: float, now: float
    ) -> Produced:
        """Return what follows from a finished run that started at ``started`` and took ``seconds``."""
        self.last_used = now
        hop = Hop(run.partition.id, self._node, max(0.0, started - run.ready_at), seconds)
        trace = (*run.trace, hop)
        if run.partition.fusion is not None:
            (logits,) = outputs.values()
            return Produced([], [], self._answer(run, logits, trace))
        runs: list[Run] = []
        tensors: list[TensorMessage] = []
        for name, data in outputs.items():
            runs += self._feed(
                name, Piece(run.camera, run.frame_id, data, run.expires_at, trace), now
            )
            if name in self.assignment.outputs:
                left = None if run.expires_at is None else max(0.0, run.expires_at - now)
                tensors.append(
                    TensorMessage(
                        run.deployment,
                        run.epoch,
                        run.camera,
                        run.frame_id,
                        name,
                        data,
                        left,
                        trace,
                    )
                )
        return Produced(runs, tensors, None)

    def _answer(self, run: Run, logits: NDArray[Any], trace: tuple[Hop, ...]) -> Result:
        # A network gone wrong answers too, with no confidence.
        flat = np.nan_to_num(logits.reshape(-1).astype(np.float64))
        sound = flat.size > 0 and bool(np.isfinite(logits).all())
        best = int(flat.argmax()) if flat.size else 0
        confidence = 1.0 / float(np.exp(flat - flat[best]).sum()) if sound else 0.0
        classes = self.assignment.classes
        return Result(
            deployment=run.deployment,
            camera=run.camera,
            frame_id=run.frame_id,
            label=classes[best] if best < len(classes) else str(best),
            confidence=confidence,
            epoch=run.epoch,
            missing=run.missing,
            latency=tuple(
                HopTime(
                    partition=hop.partition, node=hop.node, queued_s=hop.queued_s, run_s=hop.run_s
                )
                for hop in trace
            ),
        )


def normalised(data: NDArray[Any], picture: InputSpec | None, tensor: str) -> NDArray[Any]:
    """Return what the network takes: pixels (uint8) of a frame become ``(p / 255 - mean) / std``.

    Shape (1, C, H, W); frames travel as pixels, a quarter of the bytes of float32.
    """
    if picture is None or tensor != picture.name or data.dtype != np.uint8:
        return data
    mean = np.asarray(picture.mean, np.float32).reshape(1, -1, 1, 1)
    std = np.asarray(picture.std, np.float32).reshape(1, -1, 1, 1)
    return (data.astype(np.float32) / np.float32(255.0) - mean) / std
