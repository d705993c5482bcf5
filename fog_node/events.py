"""What the agent is told, and what it asks its loop to do: plain values, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from broker.actions import Publish, Stop
from broker.bus.seam import Message
from broker.messages import ArtifactRequest
from fog_node.partition_run import PartitionRun

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came from the bus."""

    message: Message


@dataclass(frozen=True, slots=True)
class Found:
    """The artifact is on the disk; it is being loaded."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The artifact is not on the disk."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A partition stands ready; ``seconds`` is the median of its warm runs, ``shapes`` by tensor."""

    sha256: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    seconds: float
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """It is none that may be run here, or onnxruntime would not have it."""

    sha256: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A run ended; ``outputs`` by tensor, ``seconds`` the time it took."""

    run: PartitionRun
    outputs: Arrays
    seconds: float


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run raised."""

    run: PartitionRun
    reason: str


@dataclass(frozen=True, slots=True)
class Overran:
    """A run did not end and was ended: its partition cannot be served."""

    run: PartitionRun
    reason: str


Event = Arrived | Found | Absent | Loaded | LoadFailed | Ran | RunFailed | Overran


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Hear a topic; ``stream`` marks those whose messages may be dropped."""

    topic_filter: str
    stream: bool


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Hear a topic no more."""

    topic_filter: str


@dataclass(frozen=True, slots=True)
class Load:
    """Make a session of an artifact from the disk: Absent, or Found and then Loaded or LoadFailed.

    ``data``, where a pull just brought it, is kept on the disk first. ``memory_bytes`` is what the
    assignment says that it needs.
    """

    sha256: str
    data: bytes | None = None
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Unload:
    """Forget a session."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Tidy:
    """Give up artifacts on the disk that are too many, none of those needed."""

    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Give:
    """Send the coordinator a chunk of an artifact from the disk, if it is there."""

    request: ArtifactRequest


@dataclass(frozen=True, slots=True)
class Execute:
    """Run a partition: Ran, RunFailed or Overran answers."""

    run: PartitionRun


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep the signed revisions that served, by deployment, over restarts."""

    revisions: Mapping[str, int]


Action = Publish | Subscribe | Unsubscribe | Load | Unload | Tidy | Give | Execute | Remember | Stop
