"""The thin loop around a stream: pictures in, frames out, answers counted."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, ParamSpec, TextIO, TypeVar

import numpy as np

from broker.bus.seam import Bus, BusError
from broker.codec import encode_tensor
from broker.frame import FrameHeader, FrameTensor
from broker.messages import Active
from broker.mistakes import Mistakes
from broker.topics import FRAME
from fog_node.camera.hearing import Heard, Hearing
from fog_node.camera.motion import MotionGate
from fog_node.camera.settings import CameraSettings
from fog_node.camera.stream import Answer, CameraStream, Send
from fog_node.camera.tally import Tally
from fog_node.sources.source import Picture, Shape, Source, SourceError, fitted
from pictures.framing import Framing

_POLL_S: Final = 0.5
_QUIET_S: Final = 2.0
"""After so long without a deployment that serves, people are told what is waited for."""

_log = logging.getLogger("fog-camera")
P = ParamSpec("P")
T = TypeVar("T")
Progress = Callable[[CameraStream], None]
Stopped = Callable[[], bool]


def never() -> bool:
    """Return that nobody told the stream to stop."""
    return False


class NotServedError(Exception):
    """Nothing serves the deployment, in one sentence."""


class Camera:
    """One stream of a camera on a bus; ``tell`` is called with each answer."""

    def __init__(
        self,
        settings: CameraSettings,
        bus: Bus,
        log: TextIO | None = None,
        tell: Callable[[Answer], None] | None = None,
    ) -> None:
        self.settings = self._settings = settings
        self._bus = bus
        self._hearing = Hearing(settings, bus)
        self._watch = self._hearing.watch
        self._frame_topic = FRAME.at(
            settings.site, deployment=settings.deployment, camera=settings.camera
        )
        self._stream: CameraStream | None = None
        self._source: Source | None = None
        self._began = time.monotonic()
        self._gave_up = False
        self._pictures: dict[int, Picture] = {}
        self._tally = Tally(log, tell)
        self._gate = None if settings.motion is None else MotionGate(settings.motion)
        self._unchanged = 0
        self._mistakes = Mistakes(_log)
        # Two starts of one camera must not take each other's answers for their own.
        self._first_frame = int(time.time() * 1000)

    def wake(self) -> None:
        """Have the loop look whether it is to stop, from any thread."""
        self._hearing.wake()

    def wait_active(self, stopped: Stopped = never) -> Active | None:
        """Return what serves the deployment, waiting for it if need be; None: ``stopped``.

        Raises:
            NotServedError: nothing did for ``wait_s`` seconds, or the broker lets us hear none of it.
        """
        settings, began = self._settings, time.monotonic()
        quiet, until = began + _QUIET_S, began + settings.wait_s
        while (now := time.monotonic()) < until:
            if stopped():
                return None
            if now >= quiet:
                quiet = float("inf")
                _log.warning("%s; waits %g s for it", self._watch.why(), settings.wait_s)
            event = self._hearing.get(min(until - now, _POLL_S, max(0.0, quiet - now)))
            if isinstance(event, BusError) and self._watch.forbids(event):
                raise NotServedError(str(event))
            if isinstance(event, Heard) and self._watch.concerns(event.message.topic):
                self._hearing.take_watched(event.message, self._activate)
                if self._watch.active is not None:
                    return self._watch.active
        raise NotServedError(self._watch.why())

    def run(
        self,
        source: Source,
        active: Active | None,
        *,
        count: int | None,
        progress: Progress = lambda _stream: None,
        stopped: Stopped = never,
    ) -> dict[str, Any]:
        """Stream ``count`` frames, or until ``stopped``; return the summary that ``--json`` prints.

        Raises:
            SourceError: the pictures ran out, or a live source has given none for ``wait_s`` seconds.
        """
        settings = self._settings
        stream = self._stream = CameraStream(settings.fps, count, settings.delivery)
        self._source = source
        self._hearing.expect(active)
        self._activate(active)
        source.on_news(self._hearing.wake)
        self._began = last_answer = time.monotonic()
        silent = False
        while not stream.done and not stopped() and not self._gave_up:
            now = time.monotonic()
            newest = source.newest(now)
            for send in stream.due(now, newest):
                self._try("a frame", self._send, send, source, now)
            if stream.hungry(now, newest):
                source.want()
            progress(stream)
            next_due = stream.next_due(now, newest)
            event = self._hearing.get(min(_POLL_S, next_due - now))
            now = time.monotonic()
            self._check_source(source, now - self._began)
            if isinstance(event, Heard) and self._try(event.message.topic, self._take, event):
                last_answer, silent = event.at, False
            if not stream.unanswered and stream.active is not None:
                last_answer = now
            if now - last_answer > self._patience_s and not silent:
                silent = True
                self._gave_up = self._gives_up(count)
                self._tell_silence("gave up" if self._gave_up else "going on")
        return self.summary()

    def _gives_up(self, count: int | None) -> bool:
        """Return whether the stream ends, after ``wait_s`` seconds without any answer."""
        if self._settings.patient:
            return False
        ended = not self._served and count is not None
        return self._settings.delivery == "reliable" or ended

    def _check_source(self, source: Source, seconds: float) -> None:
        """Give up a source that never gave a picture, for a person may have mistyped it.

        Raises:
            SourceError: it did not, for ``wait_s`` seconds.
        """
        settings, stream = self._settings, self._stream
        if settings.patient or seconds <= settings.wait_s or source.trouble is None:
            return
        if stream is not None and not stream.next_frame:
            raise SourceError(f"{source.trouble}; waited {settings.wait_s:g} s")

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

    def _activate(self, active: Active | None) -> None:
        if self._stream is not None:
            self._stream.activate(active)

    @property
    def _patience_s(self) -> float:
        """After how long without an answer people are told."""
        waits = self._settings.patient and not self._served
        return _QUIET_S if waits else self._settings.wait_s

    @property
    def _served(self) -> bool:
        return self._stream is not None and self._stream.active is not None

    def _tell_silence(self, what: str) -> None:
        camera, seconds = self._settings.camera, self._patience_s
        if self._served:
            _log.warning("%s: no answer for %g s; %s", camera, seconds, what)
        else:
            _log.warning("%s: %s; waited %g s; %s", camera, self._watch.why(), seconds, what)

    def _send(self, send: Send, source: Source, now: float) -> None:
        stream, settings = self._stream, self._settings
        if stream is None or stream.active is None:
            return
        wanted = stream.active.input
        _, channels, height, width = wanted.shape
        shape: Shape = (channels, height, width)
        picture = self._pictures.get(send.frame_id)
        if picture is None:
            for gone in self._pictures.keys() - stream.unanswered:
                del self._pictures[gone]
            source.skip(send.superseded)
            picture = source.take(shape, Framing(wanted.crop, wanted.fit), now)
            if picture is None or not self._passes(picture, now):
                # Where the source is sent once, a picture of it that cannot be read had its turn.
                again = picture is None and settings.count is not None
                stream.withdraw(send.frame_id, again=again)
                return
            self._pictures[send.frame_id] = picture
        picture = fitted(picture, shape)  # sent again, it may be for a network of another shape
        header = FrameHeader(
            deployment=settings.deployment,
            epoch=send.epoch,
            camera=settings.camera,
            frame_id=self._first_frame + send.frame_id,
            source=picture.name,
            since=send.since,
            expires_at=None if send.deadline is None else now + send.deadline,
        )
        message = FrameTensor(header, wanted.name, picture.pixels[np.newaxis])
        self._bus.publish(self._frame_topic, encode_tensor(message, now), stream=True)

    def _passes(self, picture: Picture, now: float) -> bool:
        passes = self._gate is None or self._gate.passes(picture.pixels, now)
        self._unchanged += not passes
        return passes

    def _take(self, heard: Heard) -> bool:
        """Take a message; return whether it answered a frame."""
        stream, message = self._stream, heard.message
        if self._watch.concerns(message.topic):
            self._hearing.take_watched(message, self._activate)
            return False
        result = self._hearing.result(message)
        if stream is None or result is None:
            return False
        frame_id = result.frame_id - self._first_frame
        if frame_id >= stream.next_frame:
            self._hearing.note_foreign()
        if not 0 <= frame_id < stream.next_frame:
            return False  # below: an answer to an earlier start of this camera
        answer = stream.answered(result.model_copy(update={"frame_id": frame_id}), heard.at)
        if answer is None:
            return False
        picture = self._pictures.pop(answer.frame_id, None)
        classes = stream.active.classes if stream.active else ()
        self._tally.note(answer, picture.label if picture else None, classes)
        return True

    def summary(self) -> dict[str, Any]:
        """Return counts so far, accuracy where the truth is known (else None), and latency in ms."""
        settings, source = self._settings, self._source
        stream = self._stream or CameraStream(settings.fps, None, settings.delivery)
        counted = {"unchanged": self._unchanged} if self._gate is not None else {}
        return {
            "deployment": settings.deployment,
            "camera": settings.camera,
            "delivery": settings.delivery,
            **asdict(stream.counters),
            **counted,
            **(source.counters if source else {}),
            "unanswered": len(stream.unanswered),
            "bad_messages": self._hearing.bad,
            "mistakes": self._mistakes.count,
            "foreign": self._hearing.foreign,
            "gave_up": self._gave_up,
            "trouble": source.trouble if source else None,
            **self._tally.summary(),
            "seconds": time.monotonic() - self._began,
        }
