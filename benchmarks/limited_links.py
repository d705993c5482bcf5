"""Network namespaces on links of a set speed, as devices on Wi-Fi have: Linux, root, ``tc`` with tbf.

A bridge stands for the network of the broker; each device is a namespace on a pair of virtual
Ethernet ends, and a token bucket at either end limits the bytes up and down. Its bucket holds one
packet, so a message takes its bytes over the rate, as on a wire.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

_BUCKET: Final = "1600b"
_QUEUE: Final = "4s"


@dataclass(frozen=True, slots=True)
class Speed:
    """Bytes per second of a device's link, headers of Ethernet, IP and TCP included."""

    up: float
    down: float


@dataclass(frozen=True, slots=True)
class Network:
    """Where the broker is to listen, and how to run a command inside a device's namespace."""

    host: str
    namespaces: Mapping[str, str]

    def inside(self, device: str) -> list[str]:
        """Return what stands before a command that is to run on a device."""
        return ["ip", "netns", "exec", self.namespaces[device]]


def why_not() -> str | None:
    """Return in one sentence why there can be no such network here, None if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "tc"):
        if shutil.which(program) is None:
            return f"{program} (iproute2) is not installed"
    try:
        with limited_links({"try": Speed(1e6, 1e6)}):
            return None
    except subprocess.CalledProcessError as error:
        return f"{' '.join(error.cmd[:4])} failed: {error.stderr.strip()}"


@contextmanager
def limited_links(speeds: Mapping[str, Speed]) -> Iterator[Network]:
    """Make the network for as long as the context lasts.

    Raises:
        subprocess.CalledProcessError: the kernel has no bridge, veth, namespaces or tbf for us.
    """
    name = f"fw{os.getpid() % 100_000}"
    prefix = f"10.213.{os.getpid() % 250}"
    namespaces = {device: f"{name}-{device}" for device in speeds}
    try:
        _run("ip", "link", "add", name, "type", "bridge")
        _run("ip", "addr", "add", f"{prefix}.1/24", "dev", name)
        _run("ip", "link", "set", name, "up")
        for number, (device, speed) in enumerate(speeds.items(), start=2):
            space, end = namespaces[device], f"{name}v{number}"
            _run("ip", "netns", "add", space)
            _run("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", space)
            _run("ip", "link", "set", end, "master", name, "up")
            _run("ip", "-n", space, "link", "set", "lo", "up")
            _run("ip", "-n", space, "link", "set", "eth0", "up")
            _run("ip", "-n", space, "addr", "add", f"{prefix}.{number}/24", "dev", "eth0")
            _run("tc", "-n", space, *_bucket("eth0", speed.up))
            _run("tc", *_bucket(end, speed.down))
        yield Network(f"{prefix}.1", namespaces)
    finally:
        for space in namespaces.values():
            with suppress(subprocess.CalledProcessError):  # its end of the link goes with it
                _run("ip", "netns", "del", space)
        with suppress(subprocess.CalledProcessError):
            _run("ip", "link", "del", name)


def _bucket(interface: str, bytes_per_s: float) -> list[str]:
    rate = f"{round(bytes_per_s * 8)}bit"
    where = ["qdisc", "add", "dev", interface, "root", "tbf"]
    return [*where, "rate", rate, "burst", _BUCKET, "latency", _QUEUE]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
