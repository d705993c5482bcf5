"""The devices a network is searched for: those of a placement problem, and how fast they compute."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coordinator.files import FileError, read_json
from evolution.placement.fields import MOST_RATE, amount, entries, no_others
from evolution.placement.problem import FIELDS, Device

ASSUMED_MACS_PER_S: Final = 2e9
"""What a device is taken to compute when its inventory does not say: a guess at a Raspberry Pi 4."""

LEAST_MACS_PER_S: Final = 1e3


@dataclass(frozen=True, slots=True)
class FogDevice:
    """A device of the inventory; `macs_per_s` turns a partition's MACs into seconds."""

    id: str
    memory_bytes: float
    uplink_bytes_per_s: float
    downlink_bytes_per_s: float
    latency_s: float
    macs_per_s: float = ASSUMED_MACS_PER_S

    def __post_init__(self) -> None:
        _ = self.device
        amount(self.macs_per_s, f"devices.{self.id}.macs_per_s", MOST_RATE)
        if self.macs_per_s < LEAST_MACS_PER_S:
            raise ValueError(
                f"devices.{self.id}.macs_per_s: {self.macs_per_s:g} is less than the slowest "
                f"processor has, {LEAST_MACS_PER_S:g}"
            )

    @property
    def device(self) -> Device:
        """The device as the cost model sees it."""
        return Device(
            self.id,
            self.memory_bytes,
            self.uplink_bytes_per_s,
            self.downlink_bytes_per_s,
            self.latency_s,
        )


def read_inventory(path: Path) -> tuple[FogDevice, ...]:
    """Read the `devices` of a JSON file: an inventory, or a whole placement problem.

    Raises:
        FileError: there is no such file, or a field of it is missing or impossible.
    """
    read = read_json(path)
    if not isinstance(read, dict):
        raise FileError(f"{path}: is not a JSON object")
    try:
        no_others(read, FIELDS)
        devices = tuple(FogDevice(**entry) for entry in entries(read, "devices", FogDevice))
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    if not devices:
        raise FileError(f"{path}: devices: the inventory is empty")
    if len({device.id for device in devices}) < len(devices):
        raise FileError(f"{path}: devices: an id is there twice")
    return devices
