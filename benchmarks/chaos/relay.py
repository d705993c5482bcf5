"""A bad link: a TCP relay between one part and the broker that cuts, holds, slows and garbles.

Held bytes are not lost, as TCP would send them again once the link is there; a part behind a held
link hears neither bytes nor the end of its connection. Segments and buffers are those of a modest
network, not of loopback, so that a slow link does not hide seconds of bytes in the kernel.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal, Self

from benchmarks.chaos.packets import Dialect, Packet, PacketReader

Way = Literal["up", "down"]
"""``up`` is from the part to the broker."""
Garble = Callable[[Packet], list[bytes]]
"""What goes on in place of a packet: itself, twice, changed, or another that was kept back."""

_SEGMENT_BYTES: Final = 1448
_BUFFER_BYTES: Final = 32 * 1024
_READ_BYTES: Final = 16 * 1024
_SLOW_READ_BYTES: Final = 1024
_READ_AHEAD_BYTES: Final = 4096


class Relay:
    """One part's link to ``host:port``; connect the part to :attr:`port` instead."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._bytes_per_s: float | None = None
        self._garble: Callable[[], Garble] | None = None
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection and refuse new ones, until :meth:`heal`."""
        self._call(self._cut())

    def hold(self, *ways: Way) -> None:
        """Let nothing pass these ways any more, all connections standing: a black hole is both."""
        self._call(self._set(ways, open_=False))

    def slow(self, bytes_per_s: float) -> None:
        """Let so many bytes a second pass, each way."""
        self._bytes_per_s = bytes_per_s

    def garble(self, garble: Callable[[], Garble]) -> None:
        """Put packets through what ``garble`` makes, one for each connection and way."""
        self._garble = garble

    def heal(self) -> None:
        """Be a good link again; what was held goes on."""
        self._refusing, self._bytes_per_s, self._garble = False, None, None
        self._call(self._set(("up", "down"), open_=True))

    # What follows runs on the relay's own thread.

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10.0)

    async def _listen(self) -> None:
        listener = _modest(socket.socket())
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.start_server(
            self._connected, sock=listener, limit=_READ_AHEAD_BYTES
        )
        await self._set(("up", "down"), open_=True)

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut(self) -> None:
        self._refusing = True
        for writer in self._writers:
            _reset(writer)

    async def _set(self, ways: tuple[Way, ...], *, open_: bool) -> None:
        for way in ways:
            (self._open[way].set if open_ else self._open[way].clear)()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._refusing:
            _reset(writer)
            return
        far = _modest(socket.socket())
        far.setblocking(False)
        try:
            await self._loop.sock_connect(far, self._target)
        except OSError:  # the broker is down, and who comes by this link is to see that
            far.close()
            _reset(writer)
            return
        far_reader, far_writer = await asyncio.open_connection(sock=far, limit=_READ_AHEAD_BYTES)
        for end in (writer, far_writer):
            end.transport.set_write_buffer_limits(_READ_AHEAD_BYTES)
            self._writers.add(end)
        if self._refusing:  # cut while we were connecting
            await self._cut()
        dialect = Dialect()
        both = (
            self._carry(reader, far_writer, "up", dialect),
            self._carry(far_reader, writer, "down", dialect),
        )
        try:
            await asyncio.gather(*both)
        except asyncio.CancelledError:  # the relay closes; asyncio would log it as an error
            return
        finally:
            for end in (writer, far_writer):
                self._writers.discard(end)
                end.transport.abort()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: Way,
        dialect: Dialect,
    ) -> None:
        packets, garbles = PacketReader(dialect), _Garbles()
        try:
            while True:
                await self._open[way].wait()
                slow = self._bytes_per_s is not None
                data = await reader.read(_SLOW_READ_BYTES if slow else _READ_BYTES)
                await self._open[way].wait()
                if not data:
                    writer.close()  # after what it still has to write
                    return
                garble = garbles.of(self._garble)
                # Always in whole packets: garbling may begin in mid-stream.
                for packet in packets.feed(data):
                    for part in garble(packet):
                        if writer.is_closing():
                            return
                        writer.write(part)
                await writer.drain()
                if (rate := self._bytes_per_s) is not None:
                    await asyncio.sleep(len(data) / rate)
        except OSError:
            _reset(writer)


class _Garbles:
    """What one way of one connection puts its packets through."""

    def __init__(self) -> None:
        self._made_by: Callable[[], Garble] | None = None
        self._garble: Garble = _as_it_is

    def of(self, maker: Callable[[], Garble] | None) -> Garble:
        if maker is not self._made_by:
            self._made_by, self._garble = maker, _as_it_is if maker is None else maker()
        return self._garble


def _as_it_is(packet: Packet) -> list[bytes]:
    return [packet.data]


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset, not with a goodbye."""
    end = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it has ended already
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _modest(end: socket.socket) -> socket.socket:
    """Give a socket, before it connects, the segments and buffers of a modest network."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return end
