"""What stands between a bus's thread and the loop of a part."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """A bounded queue between a bus's thread and a loop, in two lanes.

    Control (:meth:`put`) is served first and refused only beyond ``control_limit``; of the stream
    (:meth:`offer`) the newest win: beyond ``stream_limit`` the oldest is dropped and counted. Of the
    bytes that ``size`` finds in what waits no lane holds more than ``lane_bytes``.
    """

    def __init__(
        self,
        stream_limit: int = 64,
        control_limit: int = 10_000,
        size: Callable[[T], int] = lambda _: 0,
        lane_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._stream: deque[T] = deque()
        self._control: deque[T] = deque()
        self._stream_limit, self._control_limit = stream_limit, control_limit
        self._size, self._lane_bytes = size, lane_bytes
        self._stream_bytes = self._control_bytes = 0
        self._ready = threading.Condition(threading.Lock())
        self.dropped = 0

    def put(self, item: T) -> None:
        """Add to the control lane."""
        size = self._size(item)
        with self._ready:
            full = self._control_bytes + size > self._lane_bytes
            if full or len(self._control) >= self._control_limit:
                self.dropped += 1
                return
            self._control.append(item)
            self._control_bytes += size
            self._ready.notify()

    def offer(self, item: T) -> None:
        """Add to the stream lane; the newest win."""
        size = self._size(item)
        with self._ready:
            while self._stream and (
                len(self._stream) >= self._stream_limit
                or self._stream_bytes + size > self._lane_bytes
            ):
                self._stream_bytes -= self._size(self._stream.popleft())
                self.dropped += 1
            self._stream.append(item)
            self._stream_bytes += size
            self._ready.notify()

    def get(self, timeout: float | None = None) -> T | None:
        """Return the next item, or None when ``timeout`` seconds have passed without one."""
        with self._ready:
            if not self._ready.wait_for(lambda: self._control or self._stream, timeout):
                return None
            if self._control:
                item = self._control.popleft()
                self._control_bytes -= self._size(item)
            else:
                item = self._stream.popleft()
                self._stream_bytes -= self._size(item)
            return item

    def __len__(self) -> int:
        return len(self._control) + len(self._stream)
