"""Real ``fog-node run`` processes on one broker, and a benchmark in the coordinator's place."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from benchmarks.limited_links import Network, Speed, limited_links
from broker.artifact_giving import answer_nodes
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.engine.running import running_broker
from broker.messages import Active, BundleName, NodeInfo, Phase, Report
from broker.tensor_specs import InputSpec
from broker.topics import ACTIVE, NODE_ASSIGNMENT, NODE_INFO, NODE_REPORT
from coordinator.fog.assignments import assignments
from coordinator.fog.fleet import Fleet
from coordinator.fog.layout import Layout
from models.bundle import Bundle

CAMERA: Final = "camera"
_SITE: Final = "bench"
_PATIENCE_S: Final = 60.0


class SmallFog:
    """Fog nodes that serve one bundle as told, a camera, and what a coordinator knows of them."""

    def __init__(
        self,
        folder: Path,
        url: str,
        network: Network | None,
        bundle: Bundle,
        artifacts: Mapping[str, bytes],
    ) -> None:
        self.bundle, self.fleet = bundle, Fleet()
        self._folder, self._url, self._network = folder, url, network
        self._epoch = 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self._inbox: Inbox[Message] = Inbox()
        self._bus = MqttBus.connect(url, f"{_SITE}-coordinator")
        for topic in (NODE_INFO, NODE_REPORT):
            self._bus.subscribe(topic.every(_SITE), self._inbox.put)
        answer_nodes(self._bus, _SITE, artifacts.get)
        _, channels, height, width = bundle.input.shape
        pixels = np.random.default_rng(4).integers(0, 256, (height, width, channels), np.uint8)
        Image.fromarray(pixels).save(folder / "picture.png")

    @property
    def nodes(self) -> dict[str, NodeInfo]:
        """What the fog nodes say they are."""
        return {name: node.info for name, node in self.fleet.nodes.items() if node.info}

    def start(self, nodes: Sequence[str]) -> None:
        """Start fog nodes one after the other: each measures its link while the others are still."""
        for node in nodes:
            state = str(self._folder / node)
            options = ["--id", node, "--threads", "1", "--memory-mb", "1000", "--state-dir", state]
            self._run(node, "fog-node", "run", *options)
            self._hear(lambda: node in self.nodes, node)  # noqa: B023 - heard before the next

    def deploy(self, name: str, layout: Layout) -> None:
        """Have the nodes of a layout serve it under this name; cameras are told once all are ready."""
        self._epoch += 1
        self._tell(name, layout, "prepare")
        self._hear(lambda: self._all_ready(name, set(layout.placement.values())), name)
        bundle = self.bundle
        active = Active(
            deployment=name,
            epoch=self._epoch,
            bundle=BundleName(name=bundle.name, version=bundle.version),
            classes=bundle.classes,
            input=InputSpec.model_validate(bundle.input.model_dump()),
            fusion=(layout.placement[bundle.fusion.id],),
        )
        self._bus.publish(ACTIVE.at(_SITE, deployment=name), active.encode(), retain=True)
        self._tell(name, layout, "serve")

    def film(self, name: str, frames: int, fps: float) -> list[dict[str, Any]]:
        """Have ``fog-camera`` send frames; return its log, an entry for each answer."""
        log = self._folder / f"{CAMERA}.jsonl"
        source = str(self._folder / "picture.png")
        options = ["--deployment", name, "--id", CAMERA, "--source", source, "--fps", f"{fps:.3f}"]
        options += ["--count", str(frames), "--delivery", "reliable", "--log", str(log), "--json"]
        camera = self._run(CAMERA, "fog-camera", "stream", *options)
        if camera.wait(_PATIENCE_S + frames / fps):
            raise SystemExit(self._last_words(CAMERA))
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()]

    def close(self) -> None:
        """End the processes that were started here."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._bus.close()

    def _all_ready(self, deployment: str, nodes: set[str]) -> bool:
        reports = [self.fleet.nodes[node].report for node in nodes]
        return all(
            report is not None
            and (report.deployment, report.epoch) == (deployment, self._epoch)
            and report.status == "ready"
            for report in reports
        )

    def _tell(self, name: str, layout: Layout, phase: Phase) -> None:
        told = assignments(name, self._epoch, phase, self.bundle, layout)
        for node, assignment in told.items():
            topic = NODE_ASSIGNMENT.at(_SITE, node=node)
            self._bus.publish(topic, assignment.encode(), retain=True)

    def _run(self, device: str, command: str, *arguments: str) -> "subprocess.Popen[bytes]":
        before = self._network.inside(device) if self._network else []
        program = str(Path(sys.executable).with_name(command))
        where = ["--broker", self._url, "--site", _SITE]
        with (self._folder / f"{device}.log").open("wb") as log:
            process = subprocess.Popen(
                [*before, program, *arguments, *where],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def _hear(self, enough: Callable[[], bool], what: str) -> None:
        hashes = {part.id: part.sha256 for part in self.bundle.partitions}
        until = time.monotonic() + _PATIENCE_S
        while not enough():
            message = self._inbox.get(max(0.0, until - time.monotonic()))
            if message is None:
                raise SystemExit(f"{what} was not ready in {_PATIENCE_S:g} s")
            if names := NODE_INFO.names(message.topic):
                info = NodeInfo.decode(message.payload)
                self.fleet.info(names["node"], info, time.monotonic())
            elif names := NODE_REPORT.names(message.topic):
                report = Report.decode(message.payload)
                if report.status == "failed":
                    raise SystemExit(f"{names['node']}: {report.reason}")
                self.fleet.report(names["node"], report, hashes)

    def _last_words(self, device: str) -> str:
        lines = (self._folder / f"{device}.log").read_text("utf-8", "replace").splitlines()
        return f"{device}: {lines[-1] if lines else 'it said nothing'}"


@contextmanager
def small_fog(
    nodes: Sequence[str],
    speeds: Mapping[str, Speed] | None,
    bundle: Bundle,
    artifacts: Mapping[str, bytes],
) -> Iterator[SmallFog]:
    """Run a broker and fog nodes for as long as the context lasts; ``speeds`` None is loopback."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="small-fog-")))
        network = stack.enter_context(limited_links(speeds)) if speeds else None
        broker = stack.enter_context(running_broker(host=network.host if network else "127.0.0.1"))
        fog = SmallFog(folder, broker.url, network, bundle, artifacts)
        stack.callback(fog.close)
        fog.start(nodes)
        yield fog
