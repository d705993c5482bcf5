"""What a fault is played on: how many nodes, which network, which streams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Delivery = Literal["live", "reliable"]


@dataclass(frozen=True, slots=True)
class Setting:
    """The scene before the fault; each camera streams for about ``seconds`` at ``fps``.

    ``relayed``: every node reaches the broker by a relay of its own. ``disks``: parts whose state
    folder is a disk of its own, of so many bytes. ``share``: of a core for every node, None: as is.
    """

    network: str = "light"
    nodes: int = 4
    cameras: tuple[str, ...] = ("door", "yard")
    fps: float = 20.0
    seconds: float = 10.0
    delivery: Delivery = "reliable"
    relayed: bool = False
    persistent: bool = False
    memory_mb: int | None = None
    share: float | None = None
    disks: Mapping[str, int] = field(default_factory=dict)

    @property
    def node_names(self) -> list[str]:
        """The fog nodes, by id."""
        return [f"node-{number}" for number in range(1, self.nodes + 1)]
