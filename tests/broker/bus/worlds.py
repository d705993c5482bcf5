"""The worlds that the contract of the bus is tested in, and how they are hurt."""

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from broker.bus.memory import MemoryBroker, MemoryBus
from broker.bus.mqtt import MqttBus
from broker.bus.outbox import Limits
from broker.bus.seam import Bus, Message, Will

SECONDS = 10.0


class Heard:
    """A handler that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._change = threading.Condition()

    def __call__(self, message: Message) -> None:
        with self._change:
            self.messages.append(message)
            self._change.notify_all()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    def until(self, payload: bytes) -> None:
        """Wait until ``payload`` has come."""
        with self._change:
            came = self._change.wait_for(lambda: payload in self.payloads, SECONDS)
        assert came, f"{payload!r} has not come, only {self.payloads!r}"


def settle(bus: Bus, site: str) -> None:
    """Wait until the broker knows what ``bus`` has asked for, and has what it has sent."""
    topic, heard = f"{site}/echo/{uuid.uuid4().hex}", Heard()
    bus.subscribe(topic, heard)
    bus.publish(topic, b"echo")
    heard.until(b"echo")
    bus.unsubscribe(topic)


class World(Protocol):
    """A broker and ways to hurt the connections to it."""

    def bus(self, name: str, will: Will | None = None, limits: Limits | None = None) -> Bus: ...

    def cut(self, bus: Bus) -> None:
        """Lose the connection of ``bus`` until :meth:`mend`."""

    def mend(self, bus: Bus) -> None: ...

    def freeze(self, bus: Bus) -> None:
        """Have the connection of ``bus`` carry nothing more, and nobody notice."""

    def restart(self) -> None:
        """End the broker and start it again at the same address, with nothing retained."""

    def kill(self, bus: Bus) -> None:
        """End the owner of ``bus`` without a word."""

    def close(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def bus(self, name: str, will: Will | None = None, limits: Limits | None = None) -> Bus:
        return self.broker.bus(name, will, limits=limits)

    def cut(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.disconnect()

    def mend(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.reconnect()

    def freeze(self, bus: Bus) -> None:
        pass

    def restart(self) -> None:
        self.broker.stop()
        self.broker.start()

    def kill(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.kill()

    def close(self) -> None:
        self.broker.close()


class Relay:
    """Carries one bus's bytes to the broker and back, until told otherwise."""

    def __init__(self, broker_url: str) -> None:
        parts = urlsplit(broker_url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.broken = self.frozen = False
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self.broken = True
            sockets, self._sockets = self._sockets, []
        for end in sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(self._target)
                except OSError:
                    near.close()
                    continue
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._sockets += [near, far]
                    broken = self.broken
                if broken:
                    self.cut()
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.frozen:
                    sink.sendall(data)
        with contextlib.suppress(OSError):
            if not self.frozen:
                sink.shutdown(socket.SHUT_RDWR)


class MqttWorld:
    def __init__(self, url: str, restart: Callable[[], None] | None = None) -> None:
        self._url, self._restart = url, restart
        self._relays: dict[Bus, Relay] = {}

    def bus(self, name: str, will: Will | None = None, limits: Limits | None = None) -> Bus:
        relay = Relay(self._url)
        bus = MqttBus(relay.url, name, will, limits=limits)
        self._relays[bus] = relay
        heard = threading.Event()
        bus.on_connection(lambda connected: heard.set() if connected else None)
        assert heard.wait(SECONDS)
        return bus

    def cut(self, bus: Bus) -> None:
        self._relays[bus].cut()

    def mend(self, bus: Bus) -> None:
        self._relays[bus].broken = False

    def freeze(self, bus: Bus) -> None:
        self._relays[bus].frozen = True

    def restart(self) -> None:
        assert self._restart is not None
        self._restart()

    def kill(self, bus: Bus) -> None:
        self._relays[bus].close()

    def close(self) -> None:
        for bus, relay in self._relays.items():
            bus.close()
            relay.close()
