"""Fog nodes that only talk: they beat, and say that they are ready for whatever they are told.

They fetch nothing and run nothing, so that a hundred of them fit on one machine, and what the
coordinator and the broker need for a hundred nodes can be measured.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Bus, Message, Will
from broker.messages import OFFLINE, ONLINE, Assignment, Beat, Links, NodeInfo, Report
from broker.payload import MessageError
from broker.topics import NODE_ASSIGNMENT, NODE_BEAT, NODE_INFO, NODE_REPORT, NODE_STATE

_MEMORY_BYTES: Final = 1_000_000_000
_MACS_PER_S: Final = 1e9
_LINK: Final = Links(uplink_bytes_per_s=2.5e6, downlink_bytes_per_s=2.5e6, latency_s=0.002)
_PARTITION_S: Final = 0.01


class StubNode:
    """One of them, on a bus of its own."""

    def __init__(self, bus: Bus, site: str, node: str) -> None:
        self._bus, self._site, self._node = bus, site, node
        self._session = int(time.time() * 1000)
        self._beats = self._epoch = 0
        bus.subscribe(NODE_ASSIGNMENT.at(site, node=node), self._assigned)
        bus.publish(NODE_INFO.at(site, node=node), self._info().encode(), retain=True)
        bus.publish(NODE_STATE.at(site, node=node), ONLINE, retain=True)

    def beat(self) -> None:
        """Publish a beat; to be called every second."""
        self._beats += 1
        beat = Beat(
            node=self._node,
            session=self._session,
            sequence=self._beats,
            epoch=self._epoch,
            load=0.1,
            queues={},
            counters={},
        )
        topic = NODE_BEAT.at(self._site, node=self._node)
        self._bus.publish(topic, beat.encode(), stream=True)

    def close(self) -> None:
        """Say goodbye."""
        self._bus.close()

    def _info(self) -> NodeInfo:
        return NodeInfo(
            node=self._node,
            session=self._session,
            version="stub",
            hardware="stub",
            cores=4,
            threads=4,
            memory_bytes=_MEMORY_BYTES,
            macs_per_s=_MACS_PER_S,
            links=_LINK,
        )

    def _assigned(self, message: Message) -> None:
        """Say on the bus's own thread that all is ready: there is nothing to wait for."""
        try:
            assignment = Assignment.decode(message.payload)
        except MessageError:  # an assignment that was cleared
            return
        self._epoch = max(self._epoch, assignment.epoch)
        if assignment.phase == "retire":
            return
        report = Report(
            node=self._node,
            session=self._session,
            deployment=assignment.deployment,
            epoch=assignment.epoch,
            status="ready",
            seconds={part.id: _PARTITION_S for part in assignment.partitions},
        )
        topic = NODE_REPORT.at(self._site, node=self._node)
        self._bus.publish(topic, report.encode(), retain=True)


@contextmanager
def stub_nodes(url: str, site: str, count: int) -> Iterator[None]:
    """Have so many of them for as long as the context lasts; their beats are spread over the second."""
    nodes: list[StubNode] = []
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            for node in nodes:
                node.beat()
                over.wait(1.0 / count)

    beating = threading.Thread(target=beat, name="beats")
    try:
        for number in range(1, count + 1):
            name = f"stub-{number}"
            will = Will(NODE_STATE.at(site, node=name), OFFLINE)
            bus = MqttBus.connect(url, f"{site}/node/{name}", will=will)
            nodes.append(StubNode(bus, site, name))
        beating.start()
        yield
    finally:
        over.set()
        if beating.is_alive():
            beating.join()
        for node in nodes:
            node.close()
