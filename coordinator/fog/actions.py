"""What the coordinator's decisions ask its loop to do, beside what is common to all parts."""

from dataclasses import dataclass
from typing import Any

from broker.actions import Publish, Stop
from coordinator.fog.decisions import Question


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep an artifact."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Save:
    """Keep what a restarted coordinator is to know, and the artifacts of these hashes."""

    state: dict[str, Any]
    artifacts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Ask the placer for a layout; ``Controller.asked`` hears the number of the question."""

    deployment: str
    question: Question


Action = Publish | Keep | Save | Place | Stop
