"""The thin loop around a stream: pictures in, frames out, answers counted."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, ParamSpec, TextIO, TypeVar

import numpy as np

from broker.answering import Answering
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, BusError, Message
from broker.codec import encode_tensor
from broker.frame import FrameHeader, FrameTensor
from broker.messages import Active, Result
from broker.mistakes import Mistakes
from broker.payload import MessageError
from broker.topics import ACTIVE, FRAME, RESULT
from fog_node.camera.answering import can_be_fitted
from fog_node.camera.stream import Answer, CameraStream, Delivery, Send
from fog_node.sources.source import Picture, Shape, Source, SourceError, fitted

_POLL_S: Final = 0.5
_QUIET_S: Final = 2.0
"""After so long without a deployment that serves, people are told what is waited for."""
_REMEMBERED: Final = 65_536
"""Of so many answers, the last, the latencies are told; a camera may run for months."""

_log = logging.getLogger("fog-camera")
P = ParamSpec("P")
T = TypeVar("T")


class NotServedError(Exception):
    """Nothing serves the deployment, in one sentence."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What a camera streams; ``wait_s`` is how long it waits for a deployment, and for answers.

    After that a ``reliable`` camera gives up, and so does one whose deployment has ended; a ``live``
    one says so and goes on.
    """

    deployment: str
    camera: str
    site: str
    fps: float
    delivery: Delivery
    wait_s: float


class Camera:
    """One camera on one bus."""

    def __init__(self, settings: CameraSettings, bus: Bus, log: TextIO | None = None) -> None:
        self._settings, self._bus, self._log = settings, bus, log
        self._inbox: Inbox[Message | BusError] = Inbox(size=_size)
        bus.on_refusal(self._inbox.put)
        names = {"site": settings.site, "deployment": settings.deployment}
        self._active_topic = ACTIVE.at(**names)
        self._frame_topic = FRAME.at(**names, camera=settings.camera)
        self._stream: CameraStream | None = None
        self._pictures: dict[int, Picture] = {}
        self._latencies: deque[float] = deque(maxlen=_REMEMBERED)
        self._judged = self._right = 0
        self._bad = self._foreign = 0
        self._mistakes = Mistakes(_log)
        self._answering = Answering()
        # Two starts of one camera must not take each other's answers for their own.
        self._first_frame = int(time.time() * 1000)
        self._wall_offset = time.time() - time.monotonic()
        bus.subscribe(self._active_topic, self._inbox.put)
        bus.subscribe(RESULT.every(**names, camera=settings.camera), self._hear_result)

    def _hear_result(self, message: Message) -> None:
        """Queue an answer of a node that may give one, on the bus's thread: no other fills the queue."""
        names = RESULT.names(message.topic)
        if names is not None and names["node"] in self._answering.nodes:
            self._inbox.put(message)
        else:
            self._bad += 1

    def wait_active(self) -> Active:
        """Return what serves the deployment, waiting for it if need be.

        Raises:
            NotServedError: nothing did for ``wait_s`` seconds, or the broker lets us hear none of it.
        """
        settings, told = self._settings, False
        until = time.monotonic() + settings.wait_s
        while (left := until - time.monotonic()) > 0:
            message = self._inbox.get(min(left, _QUIET_S))
            if message is None and not told:
                told = True
                _log.warning(
                    "nothing serves deployment %s in site %s; waits %g s for it",
                    settings.deployment,
                    settings.site,
                    settings.wait_s,
                )
            if isinstance(message, BusError):
                raise NotServedError(str(message))
            if message is not None and message.topic == self._active_topic and message.payload:
                try:
                    return self._active(message.payload)
                except MessageError:
                    self._bad += 1
        raise NotServedError(
            f"nothing serves deployment {self._settings.deployment} in site {self._settings.site}"
        )

    def run(
        self,
        source: Source,
        active: Active,
        *,
        count: int | None,
        progress: Callable[[CameraStream], None] = lambda _stream: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """Stream ``count`` frames, or until ``stopped``; return the summary that ``--json`` prints.

        Raises:
            SourceError: the pictures ran out.
        """
        settings = self._settings
        stream = self._stream = CameraStream(settings.fps, count, settings.delivery)
        stream.activate(active)
        self._answering.activate(active)
        began = last_answer = time.monotonic()
        silent = gave_up = False
        while not stream.done and not stopped() and not gave_up:
            now = time.monotonic()
            for send in stream.due(now):
                self._try("a frame", self._send, send, source, now)
            progress(stream)
            message = self._inbox.get(max(0.0, min(_POLL_S, stream.next_due(now) - now)))
            now = time.monotonic()
            if isinstance(message, Message) and self._try(message.topic, self._take, message, now):
                last_answer, silent = now, False
            if not stream.unanswered and stream.active is not None:
                last_answer = now
            if now - last_answer > settings.wait_s and not silent:
                silent = True
                ended = stream.active is None and count is not None
                gave_up = settings.delivery == "reliable" or ended
                self._tell_silence("gave up" if gave_up else "going on")
        return self._summary(stream, time.monotonic() - began, gave_up=gave_up)

    def _try(
        self, occasion: str, act: Callable[P, T], *told: P.args, **named: P.kwargs
    ) -> T | None:
        """Act; a mistake of ours costs one frame or message, not the camera."""
        try:
            return act(*told, **named)
        except SourceError:
            raise
        except Exception as error:  # noqa: BLE001  the next one is another matter
            self._mistakes.note(occasion, error, time.monotonic())
            return None

    def _active(self, payload: bytes) -> Active:
        """Return what serves.

        Raises:
            MessageError: it is no `active` of our deployment, or of a network that takes no pictures.
        """
        active = Active.decode(payload, deployment=self._settings.deployment)
        if not can_be_fitted(active):
            raise MessageError(f"Active: input: {active.input.shape} is neither grey nor colour")
        return active

    def _tell_silence(self, what: str) -> None:
        settings, stream = self._settings, self._stream
        served = stream is not None and stream.active is not None
        why = "no answer" if served else f"nothing serves {settings.deployment}"
        _log.warning("%s: %s for %g s; %s", settings.camera, why, settings.wait_s, what)

    def _send(self, send: Send, source: Source, now: float) -> None:
        stream, settings = self._stream, self._settings
        if stream is None or stream.active is None:
            return
        _, channels, height, width = stream.active.input.shape
        shape: Shape = (channels, height, width)
        picture = self._pictures.get(send.frame_id)
        if picture is None:
            for gone in self._pictures.keys() - stream.unanswered:
                del self._pictures[gone]
            source.skip(send.superseded)
            picture = self._pictures[send.frame_id] = source.next(shape)
        picture = fitted(picture, shape)  # sent again, it may be for a network of another shape
        header = FrameHeader(
            deployment=settings.deployment,
            epoch=send.epoch,
            camera=settings.camera,
            frame_id=self._first_frame + send.frame_id,
            since=send.since,
            expires_at=None if send.deadline is None else now + send.deadline,
        )
        message = FrameTensor(header, stream.active.input.name, picture.pixels[np.newaxis])
        self._bus.publish(self._frame_topic, encode_tensor(message, now), stream=True)

    def _take(self, message: Message, now: float) -> bool:
        """Take a message; return whether it answered a frame."""
        stream = self._stream
        if stream is None:
            return False
        try:
            if message.topic == self._active_topic:
                active = self._active(message.payload) if message.payload else None
                stream.activate(active)
                if active is not None:
                    self._answering.activate(active)
                return False
            result = self._result(message)
        except MessageError:
            self._bad += 1
            return False
        frame_id = result.frame_id - self._first_frame
        if frame_id >= stream.counters.sent:
            self._take_foreign()
        if not 0 <= frame_id < stream.counters.sent:
            return False  # below: an answer to an earlier start of this camera
        answer = stream.answered(result.model_copy(update={"frame_id": frame_id}), now)
        if answer is None:
            return False
        self._note(answer, self._pictures.pop(answer.frame_id, None))
        return True

    def _result(self, message: Message) -> Result:
        """Return an answer of a node that may give it.

        Raises:
            MessageError: it is none, or not what its topic says.
        """
        names = RESULT.names(message.topic) or {}
        node, deployment, camera = (
            names.get(name, "") for name in ("node", "deployment", "camera")
        )
        result = Result.decode(message.payload, deployment=deployment, camera=camera)
        if not self._answering.may_answer(node, result.epoch):
            raise MessageError(f"Result: {node} was not told to answer in epoch {result.epoch}")
        return result

    def _take_foreign(self) -> None:
        if not self._foreign:
            camera = self._settings.camera
            _log.warning(
                "%s: answers to frames that it never sent: two cameras with this id?", camera
            )
        self._foreign += 1

    def _note(self, answer: Answer, picture: Picture | None) -> None:
        self._latencies.append(answer.latency_s)
        active = self._stream.active if self._stream else None
        truth = picture.label if picture and active and picture.label in active.classes else None
        if truth is not None:
            self._judged += 1
            self._right += truth == answer.result.label
        if self._log is not None:
            record = {
                **answer.result.model_dump(),
                "truth": truth,
                "sent_at": answer.sent_at + self._wall_offset,
                "latency_s": answer.latency_s,
            }
            self._log.write(json.dumps(record) + "\n")
            self._log.flush()

    def _summary(self, stream: CameraStream, seconds: float, *, gave_up: bool) -> dict[str, Any]:
        """Return counts, accuracy where the truth is known (else None), and latency in ms."""
        quantiles = np.percentile(self._latencies, [50, 95, 99]) * 1000 if self._latencies else None
        return {
            "deployment": self._settings.deployment,
            "camera": self._settings.camera,
            **asdict(stream.counters),
            "unanswered": len(stream.unanswered),
            "bad_messages": self._bad,
            "mistakes": self._mistakes.count,
            "foreign": self._foreign,
            "gave_up": gave_up,
            "accuracy": self._right / self._judged if self._judged else None,
            "latency_ms": None
            if quantiles is None
            else dict(zip(("p50", "p95", "p99"), quantiles.tolist(), strict=True)),
            "seconds": seconds,
        }


def _size(item: Message | BusError) -> int:
    return len(item.payload) if isinstance(item, Message) else 0
