"""The placement problem: devices, partitions, the tensors between them, and what is fixed.

The file format is stated in docs/placement.md: `devices`, `partitions`, `tensors`, and optionally
`pinned`, `allowed` and `energy_budget_j`. Seconds, MACs and joules are per frame, sizes are bytes,
links are bytes per second.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from evolution.placement.fields import (
    MOST_BUDGET,
    MOST_BYTES,
    MOST_JOULES,
    MOST_MACS,
    MOST_SECONDS,
    amount,
    entries,
    identifier,
    known,
    names,
    no_others,
    optional_amount,
    pairs,
    rate,
    refuse,
    unique,
)


@dataclass(frozen=True, slots=True)
class Device:
    """A fog node as the cost model sees it: one processor, one uplink, one downlink.

    Joules per byte are spent for every byte sent and for every byte received.
    """

    id: str
    memory_bytes: float
    uplink_bytes_per_s: float
    downlink_bytes_per_s: float
    latency_s: float
    joules_per_mac: float | None = None
    joules_per_byte: float | None = None

    def __post_init__(self) -> None:
        where = f"devices.{identifier(self.id, 'devices')}"
        amount(self.memory_bytes, f"{where}.memory_bytes", MOST_BYTES)
        rate(self.uplink_bytes_per_s, f"{where}.uplink_bytes_per_s")
        rate(self.downlink_bytes_per_s, f"{where}.downlink_bytes_per_s")
        amount(self.latency_s, f"{where}.latency_s", MOST_SECONDS)
        optional_amount(self.joules_per_mac, f"{where}.joules_per_mac", MOST_JOULES)
        optional_amount(self.joules_per_byte, f"{where}.joules_per_byte", MOST_JOULES)


@dataclass(frozen=True, slots=True)
class Partition:
    """A piece of the model. It may run only on devices for which `seconds` has a figure.

    `held` names devices that have it in memory already, for another placement that stays: there it
    needs no more.
    """

    id: str
    memory_bytes: float
    seconds: Mapping[str, float]
    macs: float | None = None
    held: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"partitions.{identifier(self.id, 'partitions')}"
        amount(self.memory_bytes, f"{where}.memory_bytes", MOST_BYTES)
        optional_amount(self.macs, f"{where}.macs", MOST_MACS)
        if not isinstance(self.seconds, Mapping) or not self.seconds:
            raise ValueError(f"{where}.seconds: needs the seconds on at least one device.")
        for device, seconds in self.seconds.items():
            amount(seconds, f"{where}.seconds.{device[:80]}", MOST_SECONDS)

    def memory_on(self, device: str) -> float:
        """Return the bytes that it takes on a device beside what is held there already."""
        return 0 if device in self.held else self.memory_bytes


@dataclass(frozen=True, slots=True)
class Tensor:
    """What one partition hands to others; it goes up to the broker once."""

    id: str
    bytes: float
    producer: str
    consumers: tuple[str, ...]

    def __post_init__(self) -> None:
        where = f"tensors.{identifier(self.id, 'tensors')}"
        amount(self.bytes, f"{where}.bytes", MOST_BYTES)
        if len(set(self.consumers)) < len(self.consumers):
            raise ValueError(f"{where}.consumers: names a partition twice.")
        if not isinstance(self.producer, str) or not self.producer:
            raise ValueError(f"{where}.producer: is missing, so its consumers would wait for ever.")


@dataclass(frozen=True, slots=True)
class PlacementProblem:
    """Everything that decides how long a frame takes; a valid one has a place for each partition.

    Raises ValueError naming the field for anything impossible. That every partition fits alone is
    checked here; that all fit together is found out by placing them.
    """

    devices: tuple[Device, ...]
    partitions: tuple[Partition, ...]
    tensors: tuple[Tensor, ...] = ()
    pinned: Mapping[str, str] = field(default_factory=dict)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    energy_budget_j: float | None = None

    def __post_init__(self) -> None:
        if not self.devices:
            raise ValueError("devices: the fleet is empty.")
        if not self.partitions:
            raise ValueError("partitions: there is nothing to place.")
        devices = unique([device.id for device in self.devices], "devices")
        partitions = unique([partition.id for partition in self.partitions], "partitions")
        unique([tensor.id for tensor in self.tensors], "tensors")
        for partition in self.partitions:
            known(partition.seconds, devices, f"partitions.{partition.id}.seconds", "device")
            known(partition.held, devices, f"partitions.{partition.id}.held", "device")
        for tensor in self.tensors:
            known([tensor.producer], partitions, f"tensors.{tensor.id}.producer", "partition")
            known(tensor.consumers, partitions, f"tensors.{tensor.id}.consumers", "partition")
        known(self.pinned, partitions, "pinned", "partition")
        known(self.allowed, partitions, "allowed", "partition")
        for partition_id, device in self.pinned.items():
            known([device], devices, f"pinned.{partition_id}", "device")
        for partition_id, choices in self.allowed.items():
            known(choices, devices, f"allowed.{partition_id}", "device")
        _ = self.order
        self._check_room()
        if self.energy_budget_j is not None:
            amount(self.energy_budget_j, "energy_budget_j", MOST_BUDGET)
            for missing in self._without_energy():
                raise ValueError(f"{missing}: is missing, and energy_budget_j needs it.")

    @property
    def counts_energy(self) -> bool:
        """Whether every device and partition has the figures that joules are counted with."""
        return not self._without_energy()

    def choices(self, partition: Partition) -> tuple[Device, ...]:
        """Return the devices on which a partition may run, in file order, whatever their memory."""
        wanted = set(partition.seconds)
        if partition.id in self.allowed:
            wanted &= set(self.allowed[partition.id])
        if partition.id in self.pinned:
            wanted &= {self.pinned[partition.id]}
        return tuple(device for device in self.devices if device.id in wanted)

    @property
    def order(self) -> tuple[str, ...]:
        """Partitions such that producers stand before consumers; ValueError for a cycle."""
        graph: TopologicalSorter[str] = TopologicalSorter({p.id: () for p in self.partitions})
        for tensor in self.tensors:
            for consumer in tensor.consumers:
                graph.add(consumer, tensor.producer)
        try:
            return tuple(graph.static_order())
        except CycleError as error:
            cycle = " -> ".join(error.args[1])
            raise ValueError(f"tensors: the partitions form a cycle: {cycle}.") from None

    @classmethod
    def from_json(cls, obj: object) -> "PlacementProblem":
        """Read the file's object; raises ValueError with one line naming the field."""
        if not isinstance(obj, Mapping):
            refuse("problem", "is not a JSON object.")
        no_others(obj, FIELDS)
        return cls(
            devices=tuple(Device(**entry) for entry in entries(obj, "devices", Device)),
            partitions=tuple(
                Partition(
                    **entry
                    | {"held": names(entry.get("held", ()), f"partitions.{entry['id']}.held")}
                )
                for entry in entries(obj, "partitions", Partition)
            ),
            tensors=tuple(
                Tensor(
                    **entry
                    | {"consumers": names(entry["consumers"], f"tensors.{entry['id']}.consumers")}
                )
                for entry in entries(obj, "tensors", Tensor)
            ),
            pinned={key: str(value) for key, value in pairs(obj, "pinned")},
            allowed={key: names(value, f"allowed.{key}") for key, value in pairs(obj, "allowed")},
            energy_budget_j=obj.get("energy_budget_j"),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the object that `from_json` reads back to an equal problem."""
        budget = {} if self.energy_budget_j is None else {"energy_budget_j": self.energy_budget_j}
        return {
            "devices": [_given(asdict(device)) for device in self.devices],
            "partitions": [
                _given(asdict(p) | {"seconds": dict(p.seconds), "held": [*p.held] or None})
                for p in self.partitions
            ],
            "tensors": [
                {"id": t.id, "bytes": t.bytes, "producer": t.producer, "consumers": [*t.consumers]}
                for t in self.tensors
            ],
            "pinned": dict(self.pinned),
            "allowed": {key: list(value) for key, value in self.allowed.items()},
            **budget,
        }

    def _without_energy(self) -> list[str]:
        """List the fields that are missing for counting joules."""
        return [
            *(
                f"devices.{device.id}.{name}"
                for device in self.devices
                for name in ("joules_per_mac", "joules_per_byte")
                if getattr(device, name) is None
            ),
            *(f"partitions.{p.id}.macs" for p in self.partitions if p.macs is None),
        ]

    def _check_room(self) -> None:
        """Refuse partitions that have no device, or none with enough memory for them alone."""
        free = {device.id: device.memory_bytes for device in self.devices}
        for partition in self.partitions:
            choices = self.choices(partition)
            if not choices:
                raise ValueError(
                    f"partitions.{partition.id}.seconds: names no device on which it is pinned"
                    " or allowed."
                )
            missing = min(partition.memory_on(d.id) - free[d.id] for d in choices)
            if missing > 0:
                raise ValueError(
                    f"partitions.{partition.id}.memory_bytes: no device has enough memory,"
                    f" {missing:.0f} bytes are missing."
                )
            if len(choices) == 1:
                free[choices[0].id] -= partition.memory_on(choices[0].id)


FIELDS: Final = tuple(field.name for field in fields(PlacementProblem))
"""What the object of a problem may have."""


def _given(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in entry.items() if value is not None}
