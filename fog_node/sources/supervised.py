"""The threads that read a live source: one supervises, one reads, and one that hangs is left behind."""

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from fog_node.sources.live import Feed
from fog_node.sources.newest import Shot
from fog_node.sources.source import SourceError
from fog_node.sources.supervision import Say, Start, Step, Supervision

_log = logging.getLogger("fog-camera")
_IDLE_S: Final = 1.0
_NOTHING_S: Final = 0.02
"""Between two reads that gave nothing: a source that says so at once is not to take all of a core."""
_ASKS_AGAIN_S: Final = 0.25
"""Until a source that is polled, and gave none, is asked again: it costs the camera as well."""


class Reader(Protocol):
    """A source that has been opened; used by one thread."""

    polled: bool
    """Whether it is asked for each picture, and not before one is wanted."""

    def read(self) -> Shot | None:
        """Return the next picture; None: what came was none, and is counted.

        Raises:
            SourceError: it has ended or failed, in a few words; it may work when it is opened again.
        """

    def close(self) -> None:
        """Give back what was opened."""


OpenReader = Callable[[], Reader]
"""Opens a source, however long that takes; SourceError: it does not open, in a few words."""


class Supervised:
    """Reads a source into its feed from the start to the close, and opens it again whenever it fails."""

    def __init__(
        self, feed: Feed, open_reader: OpenReader, supervision: Supervision | None = None
    ) -> None:
        self._feed, self._open_reader = feed, open_reader
        self._supervision = supervision or Supervision()
        self._change = threading.Condition()
        self._begun = self._closed = False
        feed.start_reader, feed.close_reader = self.start, self.close

    def start(self) -> None:
        """Begin to read, unless that was done."""
        with self._change:
            begun, self._begun = self._begun, True
        if not begun:
            name = f"source-{self._feed.name}"
            threading.Thread(target=self._supervise, name=name, daemon=True).start()

    def close(self) -> None:
        """Read no more; a thread that hangs in a read is not waited for."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._feed.wanted.set()

    def _supervise(self) -> None:
        while True:
            with self._change:
                if self._closed:
                    return
                now = self._feed.clock()
                self._perform(self._supervision.due(now))
                due = self._supervision.next_due
                self._change.wait(_IDLE_S if due is None else min(_IDLE_S, max(0.0, due - now)))

    def _perform(self, steps: list[Step]) -> None:
        """Do what is decided; the condition is held."""
        feed = self._feed
        for step in steps:
            match step:
                case Start(attempt):
                    name = f"read-{feed.name}"
                    threading.Thread(
                        target=self._read, args=(attempt,), name=name, daemon=True
                    ).start()
                case Say(text, trouble):
                    _log.log(
                        logging.WARNING if trouble else logging.INFO, "%s: %s", feed.name, text
                    )
        feed.tell(self._supervision.trouble, self._supervision.reopened)

    def _read(self, attempt: int) -> None:
        """Open the source and read it until it fails or the attempt is given up."""
        try:
            reason = self._read_all(attempt)
        except SourceError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001  a thread that dies silently would look like one that hangs
            _log.exception("%s: a mistake of ours", self._feed.name)
            reason = str(error)
        with self._change:
            if not self._closed:
                self._perform(self._supervision.ended(attempt, reason, self._feed.clock()))
            self._change.notify_all()

    def _read_all(self, attempt: int) -> str:
        reader = self._open_reader()
        try:
            with self._change:
                self._supervision.opened(attempt, self._feed.clock(), polled=reader.polled)
            while self._goes_on(attempt, reader):
                shot = reader.read()
                if shot is None:
                    self._pause(_ASKS_AGAIN_S if reader.polled else _NOTHING_S)
                elif not self._took(attempt, shot, polled=reader.polled):
                    break
            return "closed"
        finally:
            reader.close()

    def _goes_on(self, attempt: int, reader: Reader) -> bool:
        """Wait until the next picture is wanted; return whether the attempt still is."""
        if reader.polled:
            while not self._feed.wanted.wait(_IDLE_S):
                if self._closed:  # a picture that came just then took the note of it away
                    return False
        with self._change:
            if reader.polled:
                self._supervision.asked(attempt, self._feed.clock())
            return not self._closed and self._supervision.is_current(attempt)

    def _took(self, attempt: int, shot: Shot, *, polled: bool) -> bool:
        with self._change:
            if self._closed or not self._supervision.is_current(attempt):
                return False
            self._perform(self._supervision.read(attempt, self._feed.clock(), polled=polled))
        self._feed.put(shot)
        return True

    def _pause(self, seconds: float) -> None:
        with self._change:
            if not self._closed:
                self._change.wait(seconds)
