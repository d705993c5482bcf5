"""What other deployments use of a fog node, so that one more is placed beside them; pure."""

import math
from dataclasses import dataclass, fields
from typing import Final

from evolution.placement.problem import Device

LEAST_LEFT: Final = 0.02
"""Share of a processor or link that a placement may always count on: none would have no solution,
and so little is chosen only where nothing else is left."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is used of a fog node: a share of its processor, bytes per second of its links, bytes of memory.

    A share above 1 is more than the processor has. `memory_bytes` are those beside the artifacts
    that are held there, which are counted by their hash (`coordinator.fog.held`).

    Raises:
        ValueError: a number is negative or not finite.
    """

    processor: float = 0.0
    uplink_bytes_per_s: float = 0.0
    downlink_bytes_per_s: float = 0.0
    memory_bytes: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < math.inf:
                raise ValueError(
                    f"{field.name}: {value} is not a finite number that is not negative."
                )

    def __add__(self, other: "Taken") -> "Taken":
        """Return what two deployments take together."""
        return Taken(
            self.processor + other.processor,
            self.uplink_bytes_per_s + other.uplink_bytes_per_s,
            self.downlink_bytes_per_s + other.downlink_bytes_per_s,
            self.memory_bytes + other.memory_bytes,
        )

    def seconds(self, alone_s: float) -> float:
        """Return how long a run takes on what is left of the processor."""
        return alone_s / max(1 - self.processor, LEAST_LEFT)

    def left(self, device: Device) -> Device:
        """Return what is left of a device. Memory has no floor: what is not there cannot be had slowly."""

        def link(whole: float, taken: float) -> float:
            return max(whole - taken, LEAST_LEFT * whole)

        return Device(
            device.id,
            max(device.memory_bytes - self.memory_bytes, 0),
            link(device.uplink_bytes_per_s, self.uplink_bytes_per_s),
            link(device.downlink_bytes_per_s, self.downlink_bytes_per_s),
            device.latency_s,
            device.joules_per_mac,
            device.joules_per_byte,
        )


NOTHING: Final = Taken()
