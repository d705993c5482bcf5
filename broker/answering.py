"""Whose answers count: those of the nodes that ``active`` names for the epoch; pure."""

from collections import OrderedDict
from typing import Final

from broker.messages import Active

_EPOCHS: Final = 8
"""Answers to frames of the epochs before are still on their way."""


class Answering:
    """The nodes of the fusion by epoch, of the latest few epochs that ``active`` named."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[int, frozenset[str]] = OrderedDict()
        self.nodes: frozenset[str] = frozenset()
        """All that may answer; safe to read from any thread."""

    def activate(self, active: Active) -> None:
        """Take note of who answers from now on."""
        self._nodes.pop(active.epoch, None)
        self._nodes[active.epoch] = frozenset(active.fusion)
        while len(self._nodes) > _EPOCHS:
            self._nodes.popitem(last=False)
        self.nodes = frozenset(node for nodes in self._nodes.values() for node in nodes)

    def may_answer(self, node: str, epoch: int) -> bool:
        """Return whether a node was named for the epoch of its answer."""
        return node in self._nodes.get(epoch, frozenset())
