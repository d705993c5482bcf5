"""Do two deployments on one fog both keep up? ``python -m benchmarks.shared_fog``.

Four ``fog-node run`` processes of a quarter of a core each serve two networks, each for two cameras, at
60 % of what the fog can do: so many frames a second of both that computing them takes 60 % of the time
of the four processors. Nothing tells the coordinator the rates: it has to see them, and place anew. When
both deployments have kept their epochs for a while, a minute is measured: the response time that
95 % of the frames keep to, beside the ``predicted.p95_s`` of ``fog-coordinator status``.

Needs quotas of the processor (cgroup v1), real-time priority and two cores: Linux and root.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.broker_process import BrokerProcess
from benchmarks.chaos.cameras import Cameras
from benchmarks.chaos.networks import make_bundle
from benchmarks.chaos.parts import COORDINATOR, Parts, StageError, wait_until
from benchmarks.chaos.processor import Processors
from benchmarks.metronome import metronomes
from benchmarks.plain_end import plain_end
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.messages import Beat, Report, Status
from broker.topics import NODE_BEAT, NODE_REPORT, STATUS
from coordinator.fog.client import Client, DeploymentError
from models.bundle import Bundle

NETWORKS: Final = {"yard": "heavier", "hall": "heavy-again"}
"""The network of each deployment."""
LOAD: Final = 0.6
SHARE: Final = 0.25
WITHIN: Final = 1.2
_SITE: Final = "shared"
_NODES: Final = 4
_CAMERAS: Final = 2
_APART: Final = 0.04
"""No two cameras are equally fast, so that over a minute their frames meet in every way."""
_STEADY_S: Final = 30.0
"""Nothing is placed anew any more when no deployment has changed its epoch for so long."""
_PATIENCE_S: Final = 240.0
_MEASURED_S: Final = 60.0
_CALIBRATED_S: Final = 20.0
_PERIOD_US: Final = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """One deployment in one run, both its cameras together; times in seconds."""

    run: int
    order: str
    deployment: str
    offered_per_s: float
    frames_per_s: float
    incomplete: int
    response_s: float
    p95_s: float
    predicted_p95_s: float | None
    epochs: int
    settled_after_s: float

    @property
    def ratio(self) -> float | None:
        """What was measured over what was predicted."""
        return self.p95_s / self.predicted_p95_s if self.predicted_p95_s else None

    @property
    def keeps_up(self) -> bool:
        """Whether every frame was answered, and as soon as predicted."""
        soon = self.ratio is not None and self.ratio <= WITHIN
        return soon and self.frames_per_s >= 0.98 * self.offered_per_s


class Site:
    """Broker, coordinator and weak fog nodes, and what they say of themselves."""

    def __init__(
        self, parts: Parts, processors: Processors, folder: Path, bundles: Mapping[str, Bundle]
    ) -> None:
        self._parts, self._folder, self._bundles = parts, folder, bundles
        self.statuses: dict[str, Status] = {}
        self.seconds: dict[tuple[str, str], float] = {}
        """By deployment and partition what runs took of late; before any ran, what loading measured."""
        self.changed_at = time.monotonic()
        """When something served last in a new epoch."""
        broker = BrokerProcess(parts, ("--engine", "mosquitto"))
        broker.start()
        self.address = ("--broker", broker.url, "--site", _SITE)
        self._bus = MqttBus.connect(broker.url, "witness")
        self._bus.subscribe(STATUS.every(_SITE), self._hear_status)
        self._bus.subscribe(NODE_REPORT.every(_SITE), self._hear_report)
        self._bus.subscribe(NODE_BEAT.every(_SITE), self._hear_beat)
        self._run(COORDINATOR, "fog-coordinator", "serve")
        cores = sorted(os.sched_getaffinity(0))
        for number in range(_NODES):
            node = f"node-{number + 1}"
            self._run(node, "fog-node", "run", "--id", node, "--threads", "1")
            os.sched_setaffinity(parts.pid(node), {cores[number * len(cores) // _NODES]})
            processors.limit(parts.pid(node), SHARE)
        for part in (COORDINATOR, *(f"node-{number + 1}" for number in range(_NODES))):
            parts.wait_ready(part)

    def _run(self, part: str, command: str, *arguments: str) -> None:
        state = ("--state-dir", str(self._folder / f"state-{part}"))
        self._parts.run(part, part, command, *arguments, *self.address, *state)

    def _hear_status(self, message: Message) -> None:
        status = Status.decode(message.payload)
        before = self.statuses.get(status.deployment)
        if before is None or (before.epoch, before.phase) != (status.epoch, status.phase):
            self.changed_at = time.monotonic()
        self.statuses[status.deployment] = status

    def _hear_report(self, message: Message) -> None:
        if message.payload:
            report = Report.decode(message.payload)
            for partition, seconds in report.seconds.items():
                self.seconds.setdefault((report.deployment, partition), seconds)

    def _hear_beat(self, message: Message) -> None:
        for deployment, partitions in Beat.decode(message.payload).seconds.items():
            for partition, seconds in partitions.items():
                self.seconds[deployment, partition] = seconds

    def deploy(self, name: str) -> None:
        """Deploy a network and return when it serves."""
        client = Client(self._bus, _SITE)
        folder = self._folder / NETWORKS[name]
        client.deploy(self._bundles[name], folder, name, wait_s=60.0, tell=lambda _: None)

    def film(self, name: str, fps: float) -> Cameras:
        """Start a deployment's cameras, which go on until they are asked to end."""
        folder = self._folder / name
        folder.mkdir()
        cameras = Cameras(self._parts, folder, name)
        for number, own in enumerate(camera_rates(name, fps), start=1):
            cameras.start(f"{name}-{number}", self.address, own, 1e6, "reliable")
        return cameras

    def settle(self) -> None:
        """Return when nothing has been placed anew for a while.

        Raises:
            StageError: they went on with it.
        """
        wait_until(lambda: time.monotonic() - self.changed_at >= _STEADY_S, "rest", _PATIENCE_S)

    def close(self) -> None:
        """Stop listening."""
        self._bus.close()


@contextmanager
def _site() -> Iterator[Site]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fogweave-shared-")))
        bundles = {name: make_bundle(of, folder / of) for name, of in NETWORKS.items()}
        processors = stack.enter_context(Processors(_PERIOD_US))
        if processors.by != "quota":
            raise StageError("there are no quotas of the processor here (cgroup v1 and root)")
        parts = stack.enter_context(Parts(folder))
        site = Site(parts, processors, folder, bundles)
        stack.callback(site.close)
        yield site


def camera_rates(name: str, fps: float) -> list[float]:
    """Return the frames a second of each camera of a deployment, about ``fps`` together."""
    at = list(NETWORKS).index(name) / len(NETWORKS)
    return [fps / _CAMERAS * (1 + _APART * (number + at - 0.75)) for number in range(_CAMERAS)]


def frames_per_s() -> float:
    """Return the frames a second of each deployment at which the processors are busy for ``LOAD``.

    What was measured at loading says about how many; what runs take at that rate says it exactly.
    """

    def of(site: Site) -> float:
        return LOAD * _NODES / sum(site.seconds.values())

    with _site() as site:
        for name in NETWORKS:
            site.deploy(name)
        about = of(site)
        for name in NETWORKS:
            site.film(name, about)
        time.sleep(_CALIBRATED_S)
        return of(site)


def measured(run: int, order: Sequence[str], fps: float) -> list[Row]:
    """Deploy in this order, let the coordinator find its layouts, and return what a minute gives."""
    with _site() as site:
        cameras = {}
        began = time.monotonic()
        for name in order:
            site.deploy(name)
            cameras[name] = site.film(name, fps)
        site.settle()
        settled_after_s = site.changed_at - began
        since = time.time()
        statuses = dict(site.statuses)
        time.sleep(_MEASURED_S)
        rows = []
        for name in order:
            answers = [a for a in cameras[name].answers() if since <= a.at < since + _MEASURED_S]
            ages = sorted(answer.latency_s for answer in answers)
            predicted = statuses[name].predicted
            if not ages or predicted is None:
                raise StageError(f"{name} did not serve")
            row = Row(
                run=run,
                order=" then ".join(order),
                deployment=name,
                offered_per_s=sum(camera_rates(name, fps)),
                frames_per_s=len(ages) / _MEASURED_S,
                incomplete=sum(bool(answer.missing) for answer in answers),
                response_s=median(ages),
                p95_s=ages[int(0.95 * len(ages))],
                predicted_p95_s=predicted.p95_s,
                epochs=site.statuses[name].epoch,
                settled_after_s=settled_after_s,
            )
            rows.append(row)
        return rows


def table_of(rows: Sequence[Row]) -> Table:
    """Return one row a deployment and order: medians over the runs, and the range of the ratio."""
    title = f"Two deployments, {2 * _CAMERAS} cameras, {LOAD:.0%} of the processors"
    table = Table(title=title)
    for name in ("order", "deployment"):
        table.add_column(name)
    names = ("runs", "offered/s", "answered/s", "incomplete", "median ms", "p95 ms",
             "predicted p95 ms", "ratio", "epochs", "settled after s")  # fmt: skip
    for name in names:
        table.add_column(name, justify="right")
    for order, deployment in dict.fromkeys((row.order, row.deployment) for row in rows):
        same = [row for row in rows if (row.order, row.deployment) == (order, deployment)]
        ratios = [row.ratio for row in same if row.ratio is not None]
        predicted = [row.predicted_p95_s for row in same if row.predicted_p95_s is not None]
        table.add_row(
            order,
            deployment,
            str(len(same)),
            f"{median(row.offered_per_s for row in same):.2f}",
            f"{median(row.frames_per_s for row in same):.2f}",
            str(sum(row.incomplete for row in same)),
            f"{1000 * median(row.response_s for row in same):.0f}",
            f"{1000 * median(row.p95_s for row in same):.0f}",
            f"{1000 * median(predicted):.0f}" if predicted else "none",
            f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else "none",
            f"{median(row.epochs for row in same):g}",
            f"{median(row.settled_after_s for row in same):.0f}",
        )
    return table


def main() -> int:
    """Measure both orders; 1 if a deployment did not keep up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared_fog", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each order")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    rows: list[Row] = []
    try:
        with plain_end(console, DeploymentError), metronomes():
            fps = frames_per_s()
            console.print(f"{fps:.2f} frames/s of each deployment")
            for run in range(1, arguments.runs + 1):
                for order in (list(NETWORKS), list(NETWORKS)[::-1]):
                    rows += measured(run, order, fps)
                    for row in rows[-len(order) :]:
                        console.print(str(row), highlight=False)
    except PermissionError:
        console.print("error: this user may not have real-time priority", style="red")
        return 2
    if arguments.json:
        entries = [asdict(row) | {"ratio": row.ratio, "keeps_up": row.keeps_up} for row in rows]
        print(json.dumps({"load": LOAD, "share": SHARE, "rows": entries}))
    else:
        Console().print(table_of(rows))
    return 0 if all(row.keeps_up for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
