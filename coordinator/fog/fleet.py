"""What the coordinator knows of the fog nodes, from their own messages; pure.

A node is alive while it says so: its state is ``online`` (or a beat of a newer session outweighs
an older will) and it was heard within the time to live. Some brokers lose wills, so silence
counts too.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from broker.messages import OFFLINE, ONLINE, Beat, NodeInfo, Report

TIME_TO_LIVE_S: Final = 3.0


@dataclass(slots=True)
class NodeRecord:
    """One fog node as last heard; ``lost_session`` is the one that went offline, -1 if none did."""

    node: str
    info: NodeInfo | None = None
    beat: Beat | None = None
    report: Report | None = None
    online: bool = False
    heard_at: float = 0.0
    lost_session: int = -1

    @property
    def session(self) -> int:
        """The newest session heard of, -1 before any."""
        return max(self.info.session if self.info else -1, self.beat.session if self.beat else -1)


@dataclass(slots=True)
class Fleet:
    """All fog nodes of a site."""

    nodes: dict[str, NodeRecord] = field(default_factory=dict)
    measured: dict[tuple[str, str], float] = field(default_factory=dict)
    """Seconds by (hardware, sha256): the median over the nodes of that hardware, of what runs took
    while they served, or else of what they measured at loading."""
    loaded: dict[tuple[str, str], float] = field(default_factory=dict)
    """The same of what was measured at loading alone: what a slow node is told by."""
    learned: set[str] = field(default_factory=set)
    """The artifacts of which it was seen what their runs take while they serve."""
    _loaded: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    _served: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    _restored: set[tuple[str, str]] = field(default_factory=set)
    expected: Mapping[tuple[str, str], float] = field(init=False)
    """What a partition should take, by (hardware, sha256): a node that takes more is slow. What is
    learned while it serves is closer to what it takes, and too close for that."""

    def __post_init__(self) -> None:
        self.expected = ChainMap(self.loaded, self.measured)

    def restore(self, measured: Mapping[tuple[str, str], float]) -> None:
        """Know what an earlier coordinator measured; it may have learned it from what served."""
        self.measured.update(measured)
        self._restored.update(measured)

    @property
    def online(self) -> frozenset[str]:
        """The nodes that did not say, nor had it said for them, that they are gone."""
        return frozenset(node for node, record in self.nodes.items() if record.online)

    def _node(self, node: str) -> NodeRecord:
        return self.nodes.setdefault(node, NodeRecord(node))

    def state(self, node: str, payload: bytes, now: float) -> None:
        """Take a node's state topic: ``online``, or the ``offline`` that it or its will said."""
        known = self._node(node)
        if payload == ONLINE:
            known.online, known.heard_at = True, now
        elif payload == OFFLINE:
            known.online, known.lost_session = False, known.session

    def info(self, node: str, info: NodeInfo, now: float) -> None:
        """Take what a node says it is."""
        known = self._node(node)
        if known.info is not None and known.info.session != info.session:
            self._forget_seconds(node)  # it may have other threads, or be another device
        known.info = info
        known.heard_at = now

    def beat(self, node: str, beat: Beat, now: float) -> bool:
        """Take a pulse; one of a newer session than the lost one brings the node back.

        Returns whether the node fetched or loaded something since the pulse before.
        """
        known = self._node(node)
        if beat.session < known.session:
            return False
        before = known.beat
        known.beat, known.heard_at = beat, now
        if beat.session > known.lost_session:
            known.online = True
        return before is not None and _progress(beat) != _progress(before)

    def is_proven(self, node: str) -> bool:
        """Return whether a node both said what it is and beat in the same life."""
        known = self.nodes.get(node)
        return (
            known is not None
            and known.info is not None
            and known.beat is not None
            and known.info.session == known.beat.session
        )

    def report(self, node: str, report: Report, hashes: dict[str, str]) -> None:
        """Take a report; ``hashes`` are the sha256 of the partitions it may name."""
        known = self._node(node)
        known.report = report
        if known.info is None:
            return
        for partition, seconds in report.seconds.items():
            if partition in hashes:
                self._take(self._loaded, node, known.info, hashes[partition], seconds)

    def served(self, node: str, sha256: str, seconds: float) -> None:
        """Take what the runs of an artifact take while they serve.

        It counts for more than what was measured at loading, when the processor may have had other
        work, or none at all.
        """
        info = self._node(node).info
        if info is not None:
            self.learned.add(sha256)
            self._take(self._served, node, info, sha256, seconds)

    def _take(
        self,
        by_node: dict[tuple[str, str], dict[str, float]],
        node: str,
        info: NodeInfo,
        sha256: str,
        seconds: float,
    ) -> None:
        key = info.hardware, sha256
        by_node.setdefault(key, {})[node] = seconds
        if by_node is self._loaded:
            self.loaded[key] = median(by_node[key].values())
        if by_node is self._served or (not self._served.get(key) and key not in self._restored):
            self.measured[key] = median(by_node[key].values())

    def usual_s(self, node: str, sha256: str) -> float | None:
        """Return what an artifact should take on hardware as this node's, None where nobody measured it."""
        known = self.nodes.get(node)
        info = known.info if known is not None else None
        return None if info is None else self.expected.get((info.hardware, sha256))

    def forget(self, node: str) -> None:
        """Forget a node: what it retained was cleared."""
        self.nodes.pop(node, None)
        self._forget_seconds(node)

    def _forget_seconds(self, node: str) -> None:
        for by_node in (self._loaded, self._served):
            for seconds in by_node.values():
                seconds.pop(node, None)

    def forgive(self, now: float) -> None:
        """Count no silence before ``now``: it was we who did not hear."""
        for known in self.nodes.values():
            known.heard_at = now

    def alive(self, now: float) -> dict[str, NodeInfo]:
        """Return the nodes that can be given work, by id; what they are must be of this life."""
        return {
            name: known.info
            for name, known in sorted(self.nodes.items())
            if known.info is not None
            and known.info.session == known.session
            and known.online
            and now - known.heard_at < TIME_TO_LIVE_S
        }


def _progress(beat: Beat) -> tuple[int, ...]:
    return tuple(beat.counters.get(name, 0) for name in ("chunks", "loaded"))
