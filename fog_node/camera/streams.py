"""Several streams of one process, each with a thread: what ends one of them ends no other."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from broker.access.redaction import redacted
from broker.bus.backoff import Backoff
from broker.ending import Stop
from fog_node.camera.camera import Camera, NotServedError, Progress
from fog_node.sources.source import Source, SourceError

_log = logging.getLogger("fog-camera")
_LEAVES_S: Final = 1.5
"""After it was told to stop a stream that is in a long call is not waited for any longer."""
_LOOK_S: Final = 1.0

OpenSources = Callable[[], list[Source]]
"""Opens the source of a camera once for each of its streams."""


@dataclass(slots=True)
class _Entry:
    """One stream; ``fault`` is why it ended before its end."""

    camera: Camera
    fault: str | None = None
    done: bool = False


class Streams:
    """Runs streams until they are done or ``stop`` is told."""

    def __init__(self, stop: Stop, progress: Progress = lambda _stream: None) -> None:
        self._stop, self._progress = stop, progress
        self._entries: list[_Entry] = []
        self._change = threading.Condition()
        stop.calls(self._wake)

    def add(self, cameras: list[Camera], open_sources: OpenSources) -> None:
        """Begin the streams of one camera, which share its source; from any thread."""
        entries = [_Entry(camera) for camera in cameras]
        with self._change:
            self._entries += entries
        name = cameras[0].settings.camera
        threading.Thread(
            target=self._open, args=(entries, open_sources), name=f"camera-{name}", daemon=True
        ).start()

    def wait(self, *, for_more: bool = False, forever: bool = False) -> None:
        """Wait until all streams are done, or shortly after they were told to stop.

        ``for_more``: others may come yet, so without any there is something to wait for. ``forever``:
        others may come at any time.
        """
        until: float | None = None
        with self._change:
            while not self._over(for_more=for_more or forever) or (forever and not self._stop.told):
                if self._stop.told and until is None:
                    until = time.monotonic() + _LEAVES_S
                left = _LOOK_S if until is None else until - time.monotonic()
                if left <= 0:
                    return
                self._change.wait(min(left, _LOOK_S))

    def _over(self, *, for_more: bool) -> bool:
        if not self._entries:
            return self._stop.told or not for_more
        return all(entry.done for entry in self._entries)

    def _wake(self) -> None:
        """Have everybody look whether they are to stop."""
        with self._change:
            entries = list(self._entries)
            self._change.notify_all()
        for entry in entries:
            entry.camera.wake()

    def summaries(self) -> list[dict[str, Any]]:
        """Return what every stream came to."""
        with self._change:
            entries = list(self._entries)
        return [_summary(entry) for entry in entries]

    def _stopped(self) -> bool:
        return self._stop.told

    def _open(self, entries: list[_Entry], open_sources: OpenSources) -> None:
        """Open the source, again and again if the cameras are patient, and begin a stream for each."""
        backoff, said = Backoff(0.5, 15.0), ""
        patient = entries[0].camera.settings.patient
        while not self._stop.told:
            try:
                sources = open_sources()
            except SourceError as error:
                for entry in entries:
                    entry.fault = redacted(str(error))
                if not patient:
                    break
                if str(error) != said:
                    said = str(error)
                    _log.warning("%s: %s; tries again", entries[0].camera.settings.camera, error)
                self._sleep(backoff.delay())
                continue
            for entry, source in zip(entries, sources, strict=True):
                entry.fault = None
                threading.Thread(
                    target=self._run,
                    args=(entry, source),
                    name=f"stream-{entry.camera.settings.deployment}",
                    daemon=True,
                ).start()
            return
        self._end(entries)

    def _run(self, entry: _Entry, source: Source) -> None:
        camera, settings = entry.camera, entry.camera.settings
        try:
            source.on_news(camera.wake)  # so that what is wrong with it is told while we wait
            active = None if settings.patient else camera.wait_active(self._stopped)
            count = source.length if settings.count is None else settings.count
            camera.run(source, active, count=count, progress=self._progress, stopped=self._stopped)
        except (NotServedError, SourceError) as error:
            entry.fault = redacted(str(error))
        except Exception as error:  # noqa: BLE001  a thread that ends silently would look like one that is done
            _log.exception("%s: a mistake of ours", camera.settings.camera)
            entry.fault = redacted(str(error))
        finally:
            source.close()
            self._end([entry])

    def _end(self, entries: list[_Entry]) -> None:
        with self._change:
            for entry in entries:
                entry.done = True
            self._change.notify_all()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._change:
            while not self._stop.told and (left := until - time.monotonic()) > 0:
                self._change.wait(left)


def _summary(entry: _Entry) -> dict[str, Any]:
    return {**entry.camera.summary(), "fault": entry.fault}
