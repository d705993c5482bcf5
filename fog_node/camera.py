"""The thin loop around a stream: pictures in, frames out, answers counted."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, TextIO

import numpy as np

from broker.bus import Bus, Inbox, Message
from broker.codec import TensorMessage, encode_tensor
from broker.messages import Active, MessageError, Result
from broker.topics import ACTIVE, FRAME, RESULT
from fog_node.source import Picture, Shape, Source, fitted
from fog_node.stream import Answer, Delivery, Send, Stream

_POLL_S: Final = 0.5


class NotServedError(Exception):
    """Nothing serves the deployment, in one sentence."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What a camera streams; ``wait_s`` is how long it waits for a deployment and its last answers."""

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
        self._inbox: Inbox[Message] = Inbox()
        names = {"site": settings.site, "deployment": settings.deployment}
        self._active_topic = ACTIVE.at(**names)
        self._frame_topic = FRAME.at(**names, camera=settings.camera)
        self._stream: Stream | None = None
        self._pictures: dict[int, Picture] = {}
        self._latencies: list[float] = []
        self._right: list[bool] = []
        self._bad = 0
        # Two starts of one camera must not take each other's answers for their own.
        self._first_frame = int(time.time() * 1000)
        self._wall_offset = time.time() - time.monotonic()
        bus.subscribe(self._active_topic, self._inbox.put)
        bus.subscribe(RESULT.at(**names, camera=settings.camera), self._inbox.put)

    def wait_active(self) -> Active:
        """Return what serves the deployment, waiting for it if need be.

        Raises:
            NotServedError: nothing did for ``wait_s`` seconds.
        """
        until = time.monotonic() + self._settings.wait_s
        while (left := until - time.monotonic()) > 0:
            message = self._inbox.get(left)
            if message is not None and message.topic == self._active_topic and message.payload:
                try:
                    return Active.decode(message.payload)
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
        progress: Callable[[Stream], None] = lambda _stream: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """Stream ``count`` frames, or until ``stopped``; return the summary that ``--json`` prints.

        Raises:
            SourceError: the pictures ran out.
        """
        settings = self._settings
        stream = self._stream = Stream(settings.fps, count, settings.delivery)
        stream.activate(active)
        began = last_answer = time.monotonic()
        while not stream.done and not stopped():
            now = time.monotonic()
            for send in stream.due(now):
                self._send(send, source)
            progress(stream)
            message = self._inbox.get(max(0.0, min(_POLL_S, stream.next_due(now) - now)))
            now = time.monotonic()
            if message is not None and self._take(message, now):
                last_answer = now
            if not stream.unanswered and stream.active is not None:
                last_answer = now
            if now - last_answer > settings.wait_s:
                break
        return self._summary(stream, time.monotonic() - began)

    def _send(self, send: Send, source: Source) -> None:
        stream, settings = self._stream, self._settings
        if stream is None or stream.active is None:
            return
        _, channels, height, width = stream.active.input.shape
        shape: Shape = (channels, height, width)
        picture = self._pictures.get(send.frame_id)
        if picture is None:
            for gone in self._pictures.keys() - stream.unanswered:
                del self._pictures[gone]
            picture = self._pictures[send.frame_id] = source.next(shape)
        picture = fitted(picture, shape)  # sent again, it may be for a network of another shape
        message = TensorMessage(
            deployment=settings.deployment,
            epoch=send.epoch,
            camera=settings.camera,
            frame_id=self._first_frame + send.frame_id,
            tensor=stream.active.input.name,
            data=picture.pixels[np.newaxis],
            deadline=send.deadline,
        )
        self._bus.publish(self._frame_topic, encode_tensor(message), stream=True)

    def _take(self, message: Message, now: float) -> bool:
        """Take a message; return whether it answered a frame."""
        stream = self._stream
        if stream is None:
            return False
        try:
            if message.topic == self._active_topic:
                stream.activate(Active.decode(message.payload) if message.payload else None)
                return False
            result = Result.decode(message.payload)
        except MessageError:
            self._bad += 1
            return False
        frame_id = result.frame_id - self._first_frame
        if frame_id < 0:
            return False  # an answer to an earlier start of this camera
        answer = stream.answered(result.model_copy(update={"frame_id": frame_id}), now)
        if answer is None:
            return False
        self._note(answer, self._pictures.pop(answer.frame_id, None))
        return True

    def _note(self, answer: Answer, picture: Picture | None) -> None:
        self._latencies.append(answer.latency_s)
        active = self._stream.active if self._stream else None
        truth = picture.label if picture and active and picture.label in active.classes else None
        if truth is not None:
            self._right.append(truth == answer.result.label)
        if self._log is not None:
            record = {
                **answer.result.model_dump(),
                "truth": truth,
                "sent_at": answer.sent_at + self._wall_offset,
                "latency_s": answer.latency_s,
            }
            self._log.write(json.dumps(record) + "\n")
            self._log.flush()

    def _summary(self, stream: Stream, seconds: float) -> dict[str, Any]:
        """Return counts, accuracy where the truth is known (else None), and latency in ms."""
        right = self._right
        quantiles = np.percentile(self._latencies, [50, 95, 99]) * 1000 if self._latencies else None
        return {
            "deployment": self._settings.deployment,
            "camera": self._settings.camera,
            **asdict(stream.counters),
            "unanswered": len(stream.unanswered),
            "bad_messages": self._bad,
            "accuracy": sum(right) / len(right) if right else None,
            "latency_ms": None
            if quantiles is None
            else dict(zip(("p50", "p95", "p99"), quantiles.tolist(), strict=True)),
            "seconds": seconds,
        }
