"""A stream's end of a live source, with nothing between."""

import threading
import time
from collections.abc import Callable

from fog_node.sources.opening import Opening, open_sources
from fog_node.sources.source import Picture, Source
from pictures.framing import WHOLE

HANGS_S = 20.0
SHAPE = (3, 8, 8)


def open_source(text: str, offset: int = 0) -> Source:
    """Return the source that ``text`` names, for one stream."""
    return open_sources(text, 1, Opening(offset))[0]


class Looking:
    """Takes what a source has, whenever it has something."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._news = threading.Event()
        source.on_news(self._news.set)

    def picture(self) -> Picture:
        """Return the next picture, waiting for it."""
        until = time.monotonic() + HANGS_S
        while time.monotonic() < until:
            now = time.monotonic()
            if self.source.newest(now):
                taken = self.source.take(SHAPE, WHOLE, now)
                if taken is not None:
                    return taken
            self.source.want()
            self._news.wait(0.2)
            self._news.clear()
        raise TimeoutError(f"no picture; {self.source.trouble}")

    def until(self, happened: Callable[[], bool]) -> None:
        """Go on looking until something has happened."""
        until = time.monotonic() + HANGS_S
        while not happened():
            self.source.newest(time.monotonic())
            self.source.want()
            if time.monotonic() > until:
                raise TimeoutError(f"it did not happen; {self.source.counters}")
            self._news.wait(0.02)
            self._news.clear()
