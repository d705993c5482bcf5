"""How any thread wakes the one that waits in ``select``."""

import socket


class Wakeup:
    """A socket pair that carries at most one byte: waking the awake costs nothing."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._set = False

    def set(self) -> None:
        """Wake the waiting thread."""
        if not self._set:
            self._set = True
            try:
                self._writer.send(b"\0")
            except OSError:  # closed: nobody waits any more
                return

    def clear(self) -> None:
        """Take note of being awake, when ``reader`` is readable; look for work after, not before."""
        self.reader.recv(16)
        self._set = False

    def close(self) -> None:
        """Give the sockets back."""
        self.reader.close()
        self._writer.close()
