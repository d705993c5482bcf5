"""A hundred stub nodes on one Mosquitto: what the coordinator and the broker need, and how long it takes.

A real broker, a real coordinator, and stub nodes that beat and say ``ready``. Many deployments of
five partitions are deployed and deployed anew, all at once; in between nothing but beats is said, and for a while answers.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.chaos.broker_process import BrokerProcess
from benchmarks.chaos.networks import make_bundle
from benchmarks.chaos.parts import COORDINATOR, Parts
from benchmarks.plain_end import plain_end
from benchmarks.stub_answers import stub_answers
from benchmarks.stub_nodes import stub_nodes
from broker.bus.mqtt import MqttBus
from broker.engine.choice import choose_engine
from coordinator.fog.client import Client, DeploymentError
from models.bundle import Bundle

_SITE: Final = "scale"
_SETTLE_S: Final = 3.0
_PATIENCE_S: Final = 120.0
_ANSWERS_PER_S: Final = 25.0


class Site:
    """A broker and a coordinator, and the commands of many people at once."""

    def __init__(self, parts: Parts, folder: Path, engine: str) -> None:
        self._parts = parts
        self.broker = BrokerProcess(parts, ("--engine", engine))
        self.broker.start()
        address = ("--broker", self.broker.url, "--site", _SITE)
        state = ("--state-dir", str(folder / COORDINATOR))
        parts.run(COORDINATOR, COORDINATOR, "fog-coordinator", "serve", *address, *state)
        parts.wait_ready(COORDINATOR)

    def all_at_once(self, names: list[str], ask: Callable[[Client, str], Any]) -> float:
        """Have one person for each deployment ask; return the seconds until the last one is content."""
        buses = [MqttBus.connect(self.broker.url, f"person-{name}") for name in names]
        together = threading.Barrier(len(names) + 1)

        def one(bus: MqttBus, name: str) -> None:
            together.wait()
            ask(Client(bus, _SITE), name)

        try:
            with ThreadPoolExecutor(len(names)) as people:
                asked = [people.submit(one, *pair) for pair in zip(buses, names, strict=True)]
                together.wait()
                begun = time.monotonic()
                for each in asked:
                    each.result()
                return time.monotonic() - begun
        finally:
            for bus in buses:
                bus.close()

    def shares(self, seconds: float) -> dict[str, float]:
        """Return the share of one core that coordinator and broker take while nothing is asked."""
        watched = {
            COORDINATOR: _with_children(self._parts.pid(COORDINATOR)),
            "broker": _with_children(self.broker.pids[-1]),
        }
        before = {name: _processor_s(processes) for name, processes in watched.items()}
        begun = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - begun
        return {
            f"{name}_share": (_processor_s(processes) - before[name]) / took
            for name, processes in watched.items()
        }


def _with_children(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _processor_s(processes: list[psutil.Process]) -> float:
    """Return the seconds of a processor that they have taken so far, in user and in kernel mode."""
    return sum(sum(process.cpu_times()[:2]) for process in processes if process.is_running())


def scale(
    nodes: int, deployments: int, seconds: float, engine: str, console: Console
) -> dict[str, Any]:
    """Measure, and return what was found.

    Raises:
        StageError: the site did not come about.
        DeploymentError: something could not be deployed.
    """
    names = [f"d{number}" for number in range(1, deployments + 1)]
    with TemporaryDirectory(prefix="fogweave-scale-") as text, console.status("starting") as bar:
        folder = Path(text)
        bundle = make_bundle("light", folder / "bundle")
        with Parts(folder) as parts:
            site = Site(parts, folder, engine)
            with stub_nodes(site.broker.url, _SITE, nodes):
                time.sleep(_SETTLE_S)  # for all to have said what they are
                bar.update(f"{nodes} nodes and nothing deployed")
                idle = site.shares(seconds)
                bar.update(f"deploying {deployments} times {len(bundle.partitions)} partitions")
                deploy_s = site.all_at_once(names, _deploying(bundle, folder / "bundle"))
                bar.update("all serve; what was measured is compared with what was guessed")
                settling = site.shares(seconds)
                bar.update("all serve")
                serving = site.shares(seconds)
                bar.update(f"all answer {_ANSWERS_PER_S:.0f} frames a second")
                with stub_answers(site.broker.url, _SITE, names, _ANSWERS_PER_S):
                    answering = site.shares(seconds)
                bar.update("deploying all anew")
                redeploy_s = [site.all_at_once(names, _redeploy) for _ in range(3)]
    return {
        "nodes": nodes,
        "deployments": deployments,
        "partitions": deployments * len(bundle.partitions),
        "idle": idle,
        "settling": settling,
        "answering": answering,
        **serving,
        "deploy_s": deploy_s,
        "redeploy_s": median(redeploy_s),
        "redeploy_max_s": max(redeploy_s),
    }


def _deploying(bundle: Bundle, folder: Path) -> Callable[[Client, str], Any]:
    def deploy(client: Client, name: str) -> None:
        client.deploy(bundle, folder, name, wait_s=_PATIENCE_S, tell=lambda _: None)

    return deploy


def _redeploy(client: Client, name: str) -> None:
    client.redeploy(name, wait_s=_PATIENCE_S, tell=lambda _: None)


def table_of(found: dict[str, Any]) -> Table:
    """Return what was found, a line each."""
    table = Table(
        show_header=False,
        title=f"{found['nodes']} nodes, {found['deployments']} deployments, "
        f"{found['partitions']} partitions",
    )
    for name in (COORDINATOR, "broker"):
        table.add_row(
            f"{name}, share of a core, nothing deployed", f"{found['idle'][f'{name}_share']:.1%}"
        )
        table.add_row(
            f"{name}, share of a core, just deployed", f"{found['settling'][f'{name}_share']:.1%}"
        )
        table.add_row(f"{name}, share of a core, all serving", f"{found[f'{name}_share']:.1%}")
        table.add_row(
            f"{name}, share of a core, {_ANSWERS_PER_S:.0f} answers/s each",
            f"{found['answering'][f'{name}_share']:.1%}",
        )
    table.add_row("deploy all", f"{found['deploy_s']:.2f} s")
    table.add_row("redeploy all, median", f"{found['redeploy_s']:.2f} s")
    table.add_row("redeploy all, worst", f"{found['redeploy_max_s']:.2f} s")
    return table


def main() -> int:
    """Measure, and print the table or the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--deployments", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0, help="for each share of a core")
    parser.add_argument("--engine", default="mosquitto", choices=("mosquitto", "embedded"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if not 1 <= arguments.nodes <= 1000 or not 1 <= arguments.deployments <= 200:
        parser.error("--nodes is from 1 to 1000, --deployments from 1 to 200")
    if not 1.0 <= arguments.seconds <= 600.0:
        parser.error("--seconds is from 1 to 600")
    console = Console(stderr=True)
    with plain_end(console, DeploymentError):
        choose_engine(arguments.engine)
        found = scale(
            arguments.nodes,
            arguments.deployments,
            arguments.seconds,
            arguments.engine,
            console,
        )
    if arguments.json:
        print(json.dumps(found))
    else:
        Console().print(table_of(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
