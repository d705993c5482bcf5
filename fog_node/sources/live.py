"""One live source for any number of streams: whoever reads it puts pictures in, each stream takes the newest."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict

from broker.access.redaction import redacted
from fog_node.sources.newest import FRESH_S, Newest, Shot
from fog_node.sources.source import Picture, Shape, fitted
from pictures.errors import DatasetError
from pictures.framing import Framing
from pictures.reading import size_needed

_log = logging.getLogger("fog-camera")
Clock = Callable[[], float]


class Feed:
    """The pictures of one live source on their way to its streams; safe on any thread."""

    def __init__(self, name: str, clock: Clock = time.monotonic) -> None:
        self.name, self.clock = name, clock
        self.trouble: str | None = None
        self._reopened = 0
        self.wanted = threading.Event()
        """Set while a stream has a picture due and none is there."""
        self.start_reader: Callable[[], None] = lambda: None
        self.close_reader: Callable[[], None] = lambda: None
        self.lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._views: list[LiveSource] = []

    def view(self) -> "LiveSource":
        """Return the source for one more stream."""
        made = LiveSource(self)
        with self.lock:
            self._views.append(made)
        return made

    def put(self, shot: Shot) -> None:
        """Take a picture that has come."""
        self.wanted.clear()
        with self.lock:
            views = list(self._views)
            for view in views:
                view.latest.put(shot)
        for view in views:
            view.wake()

    def count(self, name: str) -> None:
        """Count what was no picture, or happened to the source."""
        with self.lock:
            self._counts[name] += 1

    def tell(self, trouble: str | None, reopened: int) -> None:
        """Take note of how the source is, and how often it was opened again."""
        self.trouble = None if trouble is None else redacted(trouble)
        self._reopened = reopened

    @property
    def counts(self) -> dict[str, int]:
        """What happened to the source, and what was no picture, by the reason."""
        with self.lock:
            return {"reopened": self._reopened, **self._counts}

    def drop(self, view: "LiveSource") -> None:
        """Have no more to do with a stream; without any the reader is closed."""
        with self.lock:
            if view in self._views:
                self._views.remove(view)
            last = not self._views
        if last:
            self.close_reader()


class LiveSource:
    """A :class:`~fog_node.sources.source.Source` of one stream on a :class:`Feed`."""

    length: int | None = None

    def __init__(self, feed: Feed) -> None:
        self.feed, self.latest = feed, Newest()
        self.wake: Callable[[], None] = lambda: None
        self._damaged = 0
        self._slow_said = False

    @property
    def counters(self) -> Mapping[str, int | float]:
        """What came, what became of it, and what the source counted."""
        with self.feed.lock:
            own = asdict(self.latest.counters)
        return {**own, "damaged": self._damaged, **self.feed.counts}

    @property
    def trouble(self) -> str | None:
        """Why no pictures come at the moment."""
        trouble = self.feed.trouble
        return None if trouble is None else f"{self.feed.name}: {trouble}"

    def newest(self, now: float) -> int | None:
        """Return the number of the newest picture, 0 if there is none that is fresh."""
        with self.feed.lock:
            return self.latest.number(now)

    def want(self) -> None:
        """Have a source that is polled asked for a picture."""
        self.feed.wanted.set()

    def skip(self, count: int) -> None:
        """Do nothing: the newest is always next."""

    def take(self, shape: Shape, framing: Framing, now: float) -> Picture | None:
        """Return the newest picture as uint8 of ``shape`` (C, H, W); None: it cannot be read, or is too old."""
        feed = self.feed
        with feed.lock:
            shot = self.latest.take(now)
        if shot is None:
            return None
        try:
            picture = fitted(
                Picture(shot.pixels(size_needed(shape, framing)), None, shot.name), shape, framing
            )
        except (DatasetError, ValueError) as error:
            if not self._damaged:
                _log.warning("%s; passed over, and so are others like it", error)
            self._damaged += 1
            return None
        with feed.lock:
            fresh = self.latest.sent(shot, feed.clock())
        if not fresh and not self._slow_said:
            self._slow_said = True
            _log.warning(
                "%s: a picture took longer than %g s to decode, and is too old; have it send smaller ones",
                feed.name,
                FRESH_S,
            )
        return picture if fresh else None

    def on_news(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever a picture came; the source is read from now on."""
        self.wake = wake
        self.feed.start_reader()

    def close(self) -> None:
        """Take no more pictures."""
        self.feed.drop(self)
