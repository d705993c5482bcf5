"""What a fog node finds out about itself: its hardware, its speed and its link to the broker."""

import base64
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.messages import Links
from fog_node.runtime import OnnxSession

_CONVOLUTION: Final = base64.b64decode(
    "CAg6vwEKKBIBcyIIQ29uc3RhbnQqGQoFdmFsdWUqDQgEEAc6BCAgAwNCAXOgAQQKMgoBcxIBdyIPQ29uc3RhbnRP"
    "ZlNoYXBlKhkKBXZhbHVlKg0IARABIgQK1yM8QgF2oAEECiIKAXgKAXcSAXkiBENvbnYqEQoEcGFkc0ABQAFAAUAB"
    "oAEHEgFnWhsKAXgSFgoUCAESEAoCCAEKAgggCgIIIAoCCCBiGwoBeRIWChQIARIQCgIIAQoCCCAKAgggCgIIIEIE"
    "CgAQEg=="
)
"""An ONNX model: x (1, 32, 32, 32), 3x3 convolution to 32 channels, y of the same shape; a test reads it."""
_CONVOLUTION_MACS: Final = 32 * 32 * 3 * 3 * 32 * 32
_CONVOLUTIONS: Final = 20
_SMALL_BYTES: Final = 256
"""What comes with every tensor, its header and the topic: so the latency holds their time too."""
_LARGE_BYTES: Final = (4 * 1024, 256 * 1024)
_ENOUGH_S: Final = 0.02
_ECHOES: Final = 11
_PAUSE_S: Final = 0.005
_BUDGET_S: Final = 0.25
_ECHO_PATIENCE_S: Final = 2.0
_LEAST_S: Final = 1e-6


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


def macs_per_s(threads: int) -> float:
    """Return a first guess at the speed: multiply-accumulates per second of a convolution.

    It runs as partitions do, in onnxruntime with as many threads. Only until partitions have been
    measured on the node: those numbers replace it.
    """
    session = OnnxSession(_CONVOLUTION, threads)
    seconds = []
    for _ in range(_CONVOLUTIONS):
        start = time.perf_counter()
        session.run({})
        seconds.append(time.perf_counter() - start)
    # The best of them: the others tell what else the device did meanwhile.
    return _CONVOLUTION_MACS / max(min(seconds), 1e-9)


def measure_links(bus: Bus, echo: str, sink: str) -> Links:
    """Return the link to the broker, up and down apart, by our own clock alone.

    ``echo`` comes back to us, ``sink`` is a topic that nobody hears. Half of a small round trip is
    the latency. A large message into the sink holds up the small one behind it by its way up, for a
    broker takes what one connection says in its order; a large round trip is its way up and down.
    All are medians of messages with a pause between them, as those of a lone frame are: the least
    of many in a row would promise what no frame finds.
    """
    inbox: Inbox[Message] = Inbox(stream_limit=_ECHOES)
    bus.subscribe(echo, inbox.put)

    def round_trip(size: int, ahead: int = 0) -> float:
        time.sleep(_PAUSE_S)
        start = time.perf_counter()
        if ahead:
            bus.publish(sink, bytes(ahead), stream=True)
        bus.publish(echo, bytes(size), stream=True)
        while True:
            message = inbox.get(_ECHO_PATIENCE_S)
            if message is None:
                # Lost on the way: as slow as we were patient, a link that nobody wants to use.
                return _ECHO_PATIENCE_S
            if len(message.payload) == size:
                return time.perf_counter() - start

    try:
        round_trip(_SMALL_BYTES)
        small = _median(lambda: round_trip(_SMALL_BYTES))
        large = _large_bytes(lambda size: round_trip(_SMALL_BYTES + size) - small)
        up = _median(lambda: round_trip(_SMALL_BYTES, ahead=large)) - small
        both = _median(lambda: round_trip(_SMALL_BYTES + large)) - small
    finally:
        bus.unsubscribe(echo)
    up = max(up, _LEAST_S)
    down = max(both - up, _LEAST_S)
    return Links(
        uplink_bytes_per_s=large / up, downlink_bytes_per_s=large / down, latency_s=small / 2
    )


def _large_bytes(extra_s: Callable[[int], float]) -> int:
    """Return a size whose bytes take their time: a slow link is not to be filled for seconds."""
    size = _LARGE_BYTES[0]
    while size < _LARGE_BYTES[1] and extra_s(size) < _ENOUGH_S:
        size *= 4
    return size


def _median(measure: Callable[[], float]) -> float:
    """Return the median of some measurements in seconds, of fewer where they take long."""
    until = time.perf_counter() + _BUDGET_S
    taken = [measure()]
    while len(taken) < _ECHOES and time.perf_counter() < until:
        taken.append(measure())
    return statistics.median(taken)
