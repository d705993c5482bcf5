"""What TLS and rights cost: ``python -m benchmarks.closed_price``.

One way through the broker, and from a camera's frame of 64 KB to its answer through four fog nodes,
each open and closed in turn. A ratio is taken within its round; the table shows the medians.
"""

import argparse
import contextlib
import datetime as dt
import json
import random
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.chaos.networks import make_bundle
from benchmarks.chaos.parts import StageError
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import CLOSED, Stage
from benchmarks.clients import Arrive, Publish
from benchmarks.plain_end import plain_end
from benchmarks.transport import LOADS, Load, latencies
from broker.access.rights import client_id_of
from broker.bus.mqtt import MqttBus
from broker.closed.enrolment import enrol
from broker.closed.folder import ClosedFog
from broker.closed.founding import found
from broker.engine.address import free_port
from broker.engine.running import running_broker, running_closed_broker
from broker.topics import TENSOR

SITE: Final = "bench"
LIMIT: Final = 1.3
_PATIENCE_S: Final = 10.0
_FRAMES: Final = Setting(network="large", cameras=("door",), fps=10.0, seconds=20.0)


@dataclass(frozen=True, slots=True)
class Price:
    """One way of one size: medians over the rounds of the p50, and of their ratio."""

    what: str
    open_us: float
    closed_us: float
    ratio: float
    least: float
    most: float

    @classmethod
    def of(cls, what: str, pairs: list[tuple[float, float]]) -> "Price":
        """Return the price by (open, closed) seconds of every round."""
        ratios = [closed / opened for opened, closed in pairs]
        return cls(
            what,
            open_us=round(median(opened for opened, _ in pairs) * 1e6),
            closed_us=round(median(closed for _, closed in pairs) * 1e6),
            ratio=round(median(ratios), 2),
            least=round(min(ratios), 2),
            most=round(max(ratios), 2),
        )


def one_way(rounds: int, say: Callable[[str], None]) -> list[Price]:
    """Return what one way through the broker costs, by size."""
    with TemporaryDirectory(prefix="fogweave-price-") as folder:
        now = dt.datetime.now(dt.UTC)
        fog = found(Path(folder, "fog"), SITE, ["127.0.0.1"], free_port("127.0.0.1", 0), now)
        with running_broker("mosquitto") as broker, running_closed_broker(fog.folder):
            enter = (_anybody(broker.url), _enrolled(fog))
            prices = []
            for load in LOADS:
                pairs = []
                for number in range(rounds):
                    say(f"{load.label}, round {number + 1} of {rounds}")
                    pairs.append(_both(enter, load, closed_first=bool(number % 2)))
                prices.append(Price.of(f"{load.label}, one way", pairs))
            return prices


Enter = Callable[[str], MqttBus]
"""Connects as somebody."""


def _anybody(url: str) -> Enter:
    return lambda name: MqttBus.connect(url, name)


def _enrolled(fog: ClosedFog) -> Enter:
    files = {name: enrol(fog, "node", name, None) for name in ("publisher", "subscriber")}

    def connect(name: str) -> MqttBus:
        file = files[name]
        client_id = client_id_of(SITE, "node", name)
        return MqttBus.connect(file.broker, client_id, credentials=file.credentials)

    return connect


def _both(enter: tuple[Enter, Enter], load: Load, *, closed_first: bool) -> tuple[float, float]:
    """Return the p50 open and closed; whoever is first in a round finds other caches."""
    found = {}
    for which in (1, 0) if closed_first else (0, 1):
        carrier = partial(_connected, enter[which])
        found[which] = latencies(carrier, "", load)[0]
    return found[0], found[1]


@contextlib.contextmanager
def _connected(connect: Enter, _url: str, _topic: str, arrive: Arrive) -> Iterator[Publish]:
    """Yield what a node publishes to another node by."""
    names = {"deployment": "bench", "epoch": "1", "node": "publisher"}
    topic, first = (TENSOR.at(SITE, **names, tensor=name) for name in ("logits", "ready"))
    ready = threading.Event()
    with (
        contextlib.closing(connect("publisher")) as publisher,
        contextlib.closing(connect("subscriber")) as subscriber,
    ):
        subscriber.subscribe(topic, lambda message: arrive(message.payload))
        subscriber.subscribe(first, lambda _: ready.set())
        while not ready.wait(0.2):  # a tensor is not retained: again, until the subscription stands
            publisher.publish(first, b"")
        yield lambda payload: publisher.publish(topic, payload, stream=True)


def a_frame(rounds: int, seed: int, say: Callable[[str], None]) -> Price:
    """Return what an answer to a frame of 64 KB costs.

    Raises:
        StageError: the scene did not come about.
    """
    pairs = []
    with TemporaryDirectory(prefix="fogweave-price-") as folder:
        make_bundle(_FRAMES.network, Path(folder, _FRAMES.network))
        for number in range(rounds):
            found = {}
            for engine in (CLOSED, "mosquitto") if number % 2 else ("mosquitto", CLOSED):
                say(f"frames, round {number + 1} of {rounds}, {engine}")
                found[engine] = _answered_after(Path(folder), engine, seed)
            pairs.append((found["mosquitto"], found[CLOSED]))
    return Price.of("64 KB frame to its answer", pairs)


def _answered_after(bundles: Path, engine: str, seed: int) -> float:
    with TemporaryDirectory(prefix="fogweave-price-") as folder:
        with Stage(Path(folder), _FRAMES, bundles, engine, random.Random(seed)) as stage:
            stage.stream("door")
            stage.cameras.wait(_FRAMES.seconds + _PATIENCE_S)
            answers = stage.cameras.answers()
        if not answers:
            raise StageError("no frame was answered")
        return float(np.median([answer.latency_s for answer in answers[len(answers) // 4 :]]))


def table_of(prices: list[Price]) -> Table:
    """Return the prices as a table."""
    table = Table(title="What TLS and rights cost (p50)")
    for heading in ("", "open us", "closed us", "closed / open", "from - to"):
        table.add_column(heading, justify="left" if not heading else "right")
    for price in prices:
        spread = f"{price.least:.2f} - {price.most:.2f}"
        figures = (f"{price.open_us:.0f}", f"{price.closed_us:.0f}", f"{price.ratio:.2f}")
        table.add_row(price.what, *figures, spread)
    return table


def main() -> int:
    """Measure; 1 if a closed fog's answer to a frame of 64 KB takes over 1.3 of an open one's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.closed_price", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    with plain_end(console), console.status("") as status:
        prices = one_way(max(1, arguments.rounds), status.update)
        prices.append(a_frame(max(1, arguments.rounds), arguments.seed, status.update))
    if arguments.json:
        print(json.dumps({"rows": [asdict(price) for price in prices]}))
    else:
        Console().print(table_of(prices))
    return 1 if prices[-1].ratio > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
