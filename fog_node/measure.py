"""What a fog node finds out about itself: its hardware, its speed and its link to the broker."""

import platform
import time
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from broker.bus import Bus, Inbox, Message
from broker.messages import Links

_SMALL_BYTES, _LARGE_BYTES = 64, 256 * 1024
_ECHOES: Final = 5
_ECHO_PATIENCE_S: Final = 2.0


def hardware() -> str:
    """Return a name that nodes of the same hardware share, the key for measured seconds."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            model = value.strip()
    return f"{platform.machine()} {model} x{psutil.cpu_count() or 1}"


def macs_per_s() -> float:
    """Return a first guess at the speed: multiply-accumulates per second of a matrix product.

    Only until partitions have been measured on the node: those numbers replace it.
    """
    size = 192
    left = np.ones((size, size), np.float32)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        left @ left
        seconds.append(time.perf_counter() - start)
    # The best of them: the others tell what else the device did meanwhile.
    return float(size**3 / max(min(seconds), 1e-9))


def measure_links(bus: Bus, topic: str) -> Links:
    """Return the link to the broker, by the round trips of a few messages to ourselves.

    One clock suffices so, but up and down are told apart only by halves. Latency is half of a
    small round trip, one way; the rest of a large one is its bytes up and its bytes down.
    """
    inbox: Inbox[Message] = Inbox(stream_limit=_ECHOES)
    bus.subscribe(topic, inbox.put)
    try:
        _round_trip(bus, topic, inbox, _SMALL_BYTES)
        small = min(_round_trip(bus, topic, inbox, _SMALL_BYTES) for _ in range(_ECHOES))
        large = min(_round_trip(bus, topic, inbox, _LARGE_BYTES) for _ in range(_ECHOES))
    finally:
        bus.unsubscribe(topic)
    rate = _LARGE_BYTES / max((large - small) / 2, 1e-7)
    return Links(uplink_bytes_per_s=rate, downlink_bytes_per_s=rate, latency_s=small / 2)


def _round_trip(bus: Bus, topic: str, inbox: Inbox[Message], size: int) -> float:
    start = time.perf_counter()
    bus.publish(topic, bytes(size), stream=True)
    while True:
        message = inbox.get(_ECHO_PATIENCE_S)
        if message is None:
            # Lost on the way: as slow as we were patient, which is a link nobody wants to use.
            return _ECHO_PATIENCE_S
        if len(message.payload) == size:
            return time.perf_counter() - start
