"""What a bus still has to send: control, stream, and the retained state it owns.

No I/O: a bus puts in from any thread and takes out on its own. Both buses use it, so that both
give up the same messages at the same time.
"""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Outgoing(NamedTuple):
    """One message on its way out."""

    topic: str
    payload: bytes
    retain: bool
    stream: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait. The stream is short, for an old frame is worth nothing."""

    stream: int = 256
    stream_bytes: int = 16 * 1024 * 1024
    control: int = 1000
    control_bytes: int = 64 * 1024 * 1024


class Outbox:
    """Two bounded lanes. Control goes first; of the stream the newest win."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._control: deque[Outgoing] = deque()
        self._stream: deque[Outgoing] = deque()
        self._control_bytes = self._stream_bytes = 0
        self._retained: dict[str, Outgoing] = {}
        self._open = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._control) + len(self._stream)

    def put(self, message: Outgoing) -> None:
        """Add ``message``; what no longer fits, or has no connection to wait for, is counted."""
        with self._lock:
            if message.stream:
                self._put_stream(message)
            elif self._open or not message.retain:
                if message.retain:
                    self._remember(message)
                self._put_control(message)
            else:
                self._remember(message)  # it goes out with the others when the connection comes

    def take(self, *, control: bool) -> Outgoing | None:
        """Return the next message, from the control lane too if ``control``."""
        if not self._stream and not (control and self._control):
            return None
        with self._lock:
            if control and self._control:
                message = self._control.popleft()
                self._control_bytes -= len(message.payload)
                return message
            if not self._stream:
                return None
            message = self._stream.popleft()
            self._stream_bytes -= len(message.payload)
            return message

    def acknowledge(self, message: Outgoing) -> None:
        """Take note that the broker has ``message``; a cleared topic need not be cleared again."""
        if message.retain and not message.payload:
            with self._lock:
                if self._retained.get(message.topic) is message:
                    del self._retained[message.topic]

    def open(self) -> None:
        """Begin a connection: all retained state first, then the control that waited."""
        with self._lock:
            waiting = [message for message in self._control if not message.retain]
            self._set_control([*self._retained.values(), *waiting])
            self._open = True

    def shut(self, unacknowledged: Iterable[Outgoing] = ()) -> None:
        """End a connection: the stream is lost, and control not acknowledged goes out again."""
        with self._lock:
            self._open = False
            self.dropped += len(self._stream)
            self._stream.clear()
            self._stream_bytes = 0
            self._set_control([*unacknowledged, *self._control])

    def _remember(self, message: Outgoing) -> None:
        self._retained.pop(message.topic, None)  # to the end: the order of publication
        self._retained[message.topic] = message

    def _put_stream(self, message: Outgoing) -> None:
        if not self._open:
            self.dropped += 1
            return
        self._stream.append(message)
        self._stream_bytes += len(message.payload)
        limits = self._limits
        while len(self._stream) > limits.stream or (
            self._stream_bytes > limits.stream_bytes and len(self._stream) > 1
        ):
            self._stream_bytes -= len(self._stream.popleft().payload)
            self.dropped += 1

    def _put_control(self, message: Outgoing) -> None:
        self._control.append(message)
        self._control_bytes += len(message.payload)
        limits = self._limits
        while len(self._control) > limits.control or self._control_bytes > limits.control_bytes:
            if not self._drop_control():
                return

    def _drop_control(self) -> bool:
        """Give up the oldest control message that is not the last word on a retained topic."""
        for position, message in enumerate(self._control):
            if self._retained.get(message.topic) is not message:
                del self._control[position]
                self._control_bytes -= len(message.payload)
                self.dropped += 1
                return True
        return False

    def _set_control(self, messages: list[Outgoing]) -> None:
        self._control = deque(messages)
        self._control_bytes = sum(len(message.payload) for message in messages)
