"""A small real site in one process: a memory broker, fog nodes on threads of their own, and artifacts."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from broker.artifact_giving import answer_nodes
from broker.artifacts import sha256_of
from broker.bus.inbox import Inbox
from broker.bus.memory import MemoryBroker, MemoryBus
from broker.bus.seam import Message
from broker.messages import (
    Active,
    AssignedPartition,
    Assignment,
    Beat,
    BundleName,
    NodeInfo,
    Report,
)
from broker.topics import ACTIVE, NODE_ASSIGNMENT, NODE_BEAT, NODE_REPORT, NODE_STATE
from fog_node.node import FogNode, NodeSettings
from tests.fog_node.onnx_models import branch, fusion
from tests.fog_node.scene import DEPLOYMENT, FUSE, LEFT, PICTURE, RIGHT, SITE

SECONDS = 20.0
MODELS = {LEFT.id: branch("left"), RIGHT.id: branch("right"), FUSE.id: fusion("left", "right")}


def real(partition: AssignedPartition) -> AssignedPartition:
    """Return the partition with the hash of a real ONNX model."""
    data = MODELS[partition.id]
    return partition.model_copy(update={"sha256": sha256_of(data), "bytes": len(data)})


class RunningNode:
    """A fog node on a thread."""

    def __init__(self, bus: MemoryBus, node: str, folder: Path) -> None:
        self.bus, self.node = bus, node
        self.fog_node = FogNode(NodeSettings(node, SITE, folder, 1, 10**9), bus)
        self.reason = "still running"
        self.info: NodeInfo | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=node)
        self._thread.start()
        assert self._ready.wait(SECONDS)

    def _run(self) -> None:
        self.reason = self.fog_node.run(self._note)

    def _note(self, info: NodeInfo) -> None:
        self.info = info
        self._ready.set()

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end; return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def ended(self) -> str:
        """Wait for its end; return the reason."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        return self.reason

    def stop(self) -> None:
        self.fog_node.stop()
        self.ended()
        self.bus.close()


class Site:
    """The coordinator's part is the test's: it assigns, and hears what is reported."""

    def __init__(self, folder: Path) -> None:
        self.broker = MemoryBroker()
        self.bus = self.broker.bus("coordinator")
        self.artifacts = {sha256_of(data): data for data in MODELS.values()}
        self.asked: list[str] = []
        self._folder = folder
        self._nodes: list[RunningNode] = []
        self._fusing: dict[int, dict[str, None]] = {}
        self._heard: Inbox[Message] = Inbox()
        self._kept: list[Message] = []
        for topic in (NODE_REPORT, NODE_BEAT, NODE_STATE):
            self.bus.subscribe(topic.every(SITE), self._heard.put)
        answer_nodes(self.bus, SITE, self._find)

    def _find(self, sha256: str) -> bytes | None:
        self.asked.append(sha256)
        return self.artifacts.get(sha256)

    def node(self, name: str) -> RunningNode:
        node = RunningNode(self.broker.bus(name), name, self._folder / name)
        self._nodes.append(node)
        return node

    def assign(self, node: str, assignment: Assignment) -> None:
        if any(part.fusion is not None for part in assignment.partitions):
            self._fusing.setdefault(assignment.epoch, {})[node] = None
        topic = NODE_ASSIGNMENT.at(SITE, node=node)
        self.bus.publish(topic, assignment.encode(), retain=True)

    def activate(self, epoch: int) -> Active:
        bundle = BundleName(name=DEPLOYMENT, version="1")
        active = Active(
            deployment=DEPLOYMENT, epoch=epoch, bundle=bundle, classes=("cat", "dog"),
            input=PICTURE, fusion=tuple(self._fusing.get(epoch, ())),
        )  # fmt: skip
        self.bus.publish(ACTIVE.at(SITE, deployment=DEPLOYMENT), active.encode(), retain=True)
        return active

    def report(self, node: str, status: str) -> Report:
        """Wait for a report of this status."""
        topic = NODE_REPORT.at(SITE, node=node)
        return Report.decode(
            self._await(
                lambda said: said.topic == topic and Report.decode(said.payload).status == status
            )
        )

    def beat(self, node: str, counter: str) -> Beat:
        """Wait for a beat in which this counter counted."""
        topic = NODE_BEAT.at(SITE, node=node)
        return Beat.decode(
            self._await(
                lambda said: (
                    said.topic == topic and Beat.decode(said.payload).counters.get(counter, 0) > 0
                )
            )
        )

    def state(self, node: str, payload: bytes) -> None:
        """Wait until the node's state is said to be this."""
        topic = NODE_STATE.at(SITE, node=node)
        self._await(lambda said: (said.topic, said.payload) == (topic, payload))

    def _await(self, wanted: Callable[[Message], bool]) -> bytes:
        """Return the payload of the first message, not yet awaited, that is wanted."""
        for message in self._kept:
            if wanted(message):
                self._kept.remove(message)
                return message.payload
        while True:
            said = self._heard.get(SECONDS)
            assert said is not None, f"it has not come, only {self._kept}"
            if wanted(said):
                return said.payload
            self._kept.append(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for node in self._nodes:
            node.stop()
        self.broker.close()
