"""What a deployment decides: plain values, carried out by ``deployments.py``."""

from dataclasses import dataclass, field
from typing import Final

from broker.messages import Active, Assignment
from coordinator.fog.layout import Layout
from coordinator.fog.layout_request import LayoutRequest


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the placer, and the layout that serves if the answer is to be compared with it."""

    request: LayoutRequest
    present: Layout | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What fog nodes and cameras are told, whether people are, and what the placer is asked."""

    assignments: dict[str, Assignment] = field(default_factory=dict)
    active: Active | None = None
    announce: bool = False
    question: Question | None = None


NONE: Final = Decisions()
