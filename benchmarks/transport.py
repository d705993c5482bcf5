"""What our bus costs over bare paho, and what TCP_NODELAY is worth: ``python -m benchmarks.transport``.

Publisher and subscriber are two connections of one process, so that one clock times both ends.
Everything is measured in rounds, bare paho and our bus in turn on the same broker, so that a busy
machine is busy for both; a ratio is taken within its round, and the table shows the medians.
"""

import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.clients import Carrier, bare_paho, bus, bus_and_inbox
from broker.bus.allocator import keep_large_buffers
from broker.engine.address import EngineError
from broker.engine.choice import available_engines
from broker.engine.mosquitto import default_settings
from broker.engine.running import running_broker

LIMIT: Final = 1.15
"""The bus may cost this much of bare paho."""

CARRIERS: Final[dict[str, Carrier]] = {
    "bare paho": bare_paho,
    "bus": bus,
    "bus + inbox": bus_and_inbox,
}
_TOPIC: Final = "fog/v1/bench/deployment/demo/1/tensor"
_WARMUP: Final = 20
_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """One size of message, how many in a round, and how many are in flight at once."""

    label: str
    size: int
    singles: int
    many: int
    window: int


LOADS: Final = (
    Load("1 KB", 1024, singles=400, many=4000, window=64),
    Load("64 KB", 65536, singles=300, many=1500, window=32),
    Load("1 MB", 1048576, singles=80, many=200, window=4),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The medians over the rounds of one carrier at one size; ``ratio`` is cost, 1 is bare paho's."""

    engine: str
    size: str
    carrier: str
    p50_us: float
    p95_us: float
    per_s: float
    per_s_min: float
    per_s_max: float
    latency_ratio: float
    throughput_ratio: float


def latencies(carrier: Carrier, url: str, load: Load) -> tuple[float, float]:
    """Return the one-way p50 and p95 in seconds, with one message in flight at a time."""
    came, at = threading.Event(), [0.0]

    def arrive(_payload: bytes) -> None:
        at[0] = time.perf_counter()
        came.set()

    taken, payload = [], bytes(load.size)
    with carrier(url, _TOPIC, arrive) as publish:
        for _ in range(load.singles + _WARMUP):
            came.clear()
            begun = time.perf_counter()
            publish(payload)
            if not came.wait(_SECONDS):
                raise TimeoutError("a message was lost")
            taken.append(at[0] - begun)
    taken = sorted(taken[_WARMUP:])
    return taken[len(taken) // 2], taken[int(len(taken) * 0.95)]


def rate(carrier: Carrier, url: str, load: Load) -> float:
    """Return messages per second, with ``load.window`` of them in flight."""
    window, done = threading.Semaphore(load.window), threading.Event()
    missing, payload = [load.many], bytes(load.size)

    def arrive(_payload: bytes) -> None:
        missing[0] -= 1
        window.release()
        if missing[0] == 0:
            done.set()

    with carrier(url, _TOPIC, arrive) as publish:
        begun = time.perf_counter()
        for _ in range(load.many):
            if not window.acquire(timeout=_SECONDS):
                raise TimeoutError("a message was lost")
            publish(payload)
        if not done.wait(_SECONDS):
            raise TimeoutError("a message was lost")
        return load.many / (time.perf_counter() - begun)


def compare(engine: str, rounds: int, scale: float, say: Callable[[str], None]) -> list[Row]:
    """Measure every carrier at every size on one broker."""
    rows = []
    keep_large_buffers()  # as the bus does: bare paho is to have it too
    with running_broker(engine) as broker:
        for load in (_scaled(load, scale) for load in LOADS):
            runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CARRIERS}
            for number in range(rounds):
                say(f"{engine}, {load.label}, round {number + 1} of {rounds}")
                # Whoever is first in a round finds other caches: take turns.
                for name in list(CARRIERS) if number % 2 else reversed(CARRIERS):
                    carrier = CARRIERS[name]
                    p50, p95 = latencies(carrier, broker.url, load)
                    runs[name].append((p50, p95, rate(carrier, broker.url, load)))
            rows += [_row(engine, load, name, runs[name], runs["bare paho"]) for name in CARRIERS]
    return rows


def nodelay(rounds: int, say: Callable[[str], None]) -> list[dict[str, object]]:
    """Return 1 KB messages per second, four in flight, for each setting of TCP_NODELAY.

    They are not scaled down: Linux acknowledges at once while a connection is young.
    """
    load = Load("1 KB", 1024, singles=0, many=400, window=4)
    rates: dict[tuple[bool, bool], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        without = Path(folder, "mosquitto.conf")
        ours = default_settings().read_text("utf-8")
        without.write_text(ours.replace("set_tcp_nodelay true", "set_tcp_nodelay false"), "utf-8")
        with running_broker("mosquitto") as on, running_broker("mosquitto", conf=without) as off:
            for number in range(rounds):
                say(f"TCP_NODELAY, round {number + 1} of {rounds}")
                for broker_set, url in ((False, off.url), (True, on.url)):
                    for client_set in (False, True):
                        carrier = partial(bare_paho, nodelay=client_set)
                        found = rates.setdefault((broker_set, client_set), [])
                        found.append(rate(carrier, url, load))
    base = median(rates[False, False])
    return [
        {"broker": b, "client": c, "per_s": round(median(r)), "times": round(median(r) / base, 1)}
        for (b, c), r in rates.items()
    ]


def _scaled(load: Load, scale: float) -> Load:
    return Load(
        load.label, load.size, int(load.singles * scale), int(load.many * scale), load.window
    )


def _row(
    engine: str,
    load: Load,
    name: str,
    runs: list[tuple[float, float, float]],
    bare: list[tuple[float, float, float]],
) -> Row:
    rates = [run[2] for run in runs]
    pairs = list(zip(runs, bare, strict=True))
    return Row(
        engine,
        load.label,
        name,
        p50_us=round(median(run[0] for run in runs) * 1e6),
        p95_us=round(median(run[1] for run in runs) * 1e6),
        per_s=round(median(rates)),
        per_s_min=round(min(rates)),
        per_s_max=round(max(rates)),
        latency_ratio=round(median(ours[0] / theirs[0] for ours, theirs in pairs), 2),
        throughput_ratio=round(median(theirs[2] / ours[2] for ours, theirs in pairs), 2),
    )


def _tables(rows: list[Row], settings: list[dict[str, object]]) -> list[Table]:
    costs = Table(title="One way through the broker (cost: 1.00 is bare paho)")
    for heading in ("broker", "size", "through", "p50 us", "p95 us", "cost"):
        costs.add_column(heading, justify="right")
    for heading in ("messages/s", "from - to", "cost"):
        costs.add_column(heading, justify="right")
    for row in rows:
        spread = f"{row.per_s_min:.0f} - {row.per_s_max:.0f}"
        timing = (f"{row.p50_us:.0f}", f"{row.p95_us:.0f}", f"{row.latency_ratio:.2f}")
        flow = (f"{row.per_s:.0f}", spread, f"{row.throughput_ratio:.2f}")
        costs.add_row(row.engine, row.size, row.carrier, *timing, *flow)
    worth = Table(title="TCP_NODELAY: 1 KB, four messages in flight, bare paho and Mosquitto")
    for heading in ("broker sets it", "client sets it", "messages/s", "times"):
        worth.add_column(heading, justify="right")
    for found in settings:
        yes = ["yes" if found[side] else "no" for side in ("broker", "client")]
        worth.add_row(*yes, str(found["per_s"]), str(found["times"]))
    return [costs, worth] if settings else [costs]


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Fewer messages and rounds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    engine: Annotated[
        str, typer.Option(help="mosquitto, embedded, or all that are on the machine.")
    ] = "all",
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 7,
) -> None:
    """Measure the bus beside bare paho; the exit code is 1 when the bus costs over 15 percent."""
    console = Console(stderr=True)
    rounds, scale = (min(rounds, 3), 0.25) if quick else (rounds, 1.0)
    engines = available_engines() if engine == "all" else [engine]
    try:
        with console.status("") as status:
            rows = [row for name in engines for row in compare(name, rounds, scale, status.update)]
            measured = "mosquitto" in engines
            settings = nodelay(min(rounds, 3), status.update) if measured else []
    except EngineError as error:
        typer.echo(f"benchmarks.transport: {error}", err=True)
        raise typer.Exit(2) from None
    ours = [row for row in rows if row.carrier == "bus"]
    worst = max(max(row.latency_ratio, row.throughput_ratio) for row in ours)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    if as_json:
        found = {"machine": machine, "rounds": rounds, "worst_ratio": worst}
        typer.echo(
            json.dumps({**found, "rows": [asdict(row) for row in rows], "nodelay": settings})
        )
    else:
        for table in _tables(rows, settings):
            Console(width=110).print(table)
        print(f"{machine}; {rounds} rounds; the bus costs at most {worst:.2f} of bare paho")
    raise typer.Exit(0 if worst <= LIMIT else 1)


if __name__ == "__main__":
    typer.run(main)
