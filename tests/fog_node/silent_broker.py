"""A broker that takes everything and delivers nothing; it speaks as much MQTT 5 as that needs."""

import contextlib
import socket
import threading
from typing import Self

_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _PING = 1, 3, 8, 10, 12


class SilentBroker:
    """Listens on a port of its own; ``measured`` is set when a client that said something waits for it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        self.measured = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            while True:
                first, body = _packet(client)
                kind = first >> 4
                if kind == _CONNECT:
                    client.sendall(b"\x20\x03\x00\x00\x00")
                elif kind == _SUBSCRIBE:
                    client.sendall(b"\x90\x04" + body[:2] + b"\x00\x01")
                elif kind == _UNSUBSCRIBE:
                    client.sendall(b"\xb0\x04" + body[:2] + b"\x00\x00")
                elif kind == _PING:
                    client.sendall(b"\xd0\x00")
                elif kind == _PUBLISH and first & 6:  # QoS 1
                    start = 2 + int.from_bytes(body[:2], "big")
                    client.sendall(b"\x40\x02" + body[start : start + 2])
                elif kind == _PUBLISH:
                    self.measured.set()


def _packet(client: socket.socket) -> tuple[int, bytes]:
    """Return the first byte of the next packet, and what follows its length."""
    first = _read(client, 1)[0]
    length = shift = 0
    while (byte := _read(client, 1)[0]) & 128:
        length += (byte & 127) << shift
        shift += 7
    return first, _read(client, length + (byte << shift))


def _read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        got = client.recv(count - len(data))
        if not got:
            raise EOFError
        data += got
    return data
