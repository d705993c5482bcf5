"""What it costs to look at a partition before it is loaded, and how soon hostile ONNX files are refused or ended.

    python -m benchmarks.hostile_graphs [--unchecked] [--json]

The files are those of the tests (``tests/fog_node/hostile_models.py``), so it runs in a checkout. Each is
given to the loader of a fog node in a process of its own. ``--unchecked`` lets all of them pass the check:
what onnxruntime refuses itself, the watchdog ends, or takes the process with it.
"""

import argparse
import json
import logging
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Final

from broker.artifacts import sha256_of
from broker.graph.check import Needs, check_graph
from fog_node import loader
from fog_node.events import Event, Load, Loaded, LoadFailed
from fog_node.measure import macs_per_s
from fog_node.quarantine import Quarantine
from fog_node.surrender import EXIT_CODE
from fog_node.watchdog import Watchdog
from tests.fog_node.hostile_models import HOSTILE

_NETWORKS: Final = ("light", "heavier", "staged")
_REPEATS: Final = 20
_STATED_BYTES: Final = 512 * 1024
_MOST_ADDRESSES: Final = 8 * 2**30
"""Bytes; a file that takes them all is not to take the machine."""
_HANGS_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a file, and after how many seconds on the wall."""

    file: str
    seconds: float
    fate: str
    reason: str


def check_costs() -> Iterator[tuple[str, int, float]]:
    """Yield partitions of real bundles: name, bytes, and the median seconds of a check."""
    from benchmarks.chaos.networks import make_bundle

    for name in _NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            for part in make_bundle(name, Path(folder)).partitions:
                data = (Path(folder) / part.file).read_bytes()
                seconds = []
                for _ in range(_REPEATS):
                    begun = time.thread_time()
                    check_graph(data, part.memory_bytes)
                    seconds.append(time.thread_time() - begun)
                yield f"{name}/{part.id}", len(data), median(seconds)


def fate(name: str, *, unchecked: bool) -> Fate:
    """Return what becomes of a hostile file."""
    data = HOSTILE[name]()
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_meet, args=(data, unchecked, there), daemon=True)
    process.start()
    there.close()
    here.recv()  # it is ready
    begun = time.perf_counter()
    try:
        said = here.recv() if here.poll(_HANGS_S) else None
    except EOFError:
        said = None
    seconds = time.perf_counter() - begun
    process.join(1.0)
    if said is not None:
        return Fate(name, seconds, *said)
    code = process.exitcode
    process.kill()
    return Fate(name, seconds, "process ended" if code == EXIT_CODE else f"code {code}", "")


def _meet(data: bytes, unchecked: bool, there: Connection) -> None:
    """Be a fog node that loads a file, and say what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
    logging.disable()
    if unchecked:
        loader.check_graph = lambda *_: Needs({}, {}, 0, 0)  # type: ignore[attr-defined]

    def tell(event: Event) -> None:
        if isinstance(event, LoadFailed):
            there.send(("refused or ended", event.reason))
        elif isinstance(event, Loaded):
            there.send(("loaded", "it takes or gives " + str(dict(event.shapes))))

    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        quarantine = Quarantine(state / "quarantine.json")
        watchdog = Watchdog(lambda _: os._exit(EXIT_CODE))
        loads = loader.Loader(state / "artifacts", 1, watchdog, quarantine, tell)
        loads.macs_per_s = macs_per_s(1)
        there.send("ready")
        loads.load(Load(sha256_of(data), data, _STATED_BYTES))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hostile_graphs", description=__doc__
    )
    parser.add_argument("--unchecked", action="store_true", help="let every file pass the check")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    costs = list(check_costs())
    fates = [fate(name, unchecked=options.unchecked) for name in HOSTILE]
    if options.json:
        checks = [{"partition": n, "bytes": size, "seconds": s} for n, size, s in costs]
        print(json.dumps({"checks": checks, "files": [asdict(each) for each in fates]}))
        return
    for name, size, seconds in costs:
        print(f"check  {name:40} {size:>10} bytes {1000 * seconds:8.2f} ms")
    for each in sorted(fates, key=lambda each: each.seconds):
        print(f"{each.seconds:7.3f} s  {each.file:40} {each.fate}: {each.reason[:90]}")
    print(f"{len(fates)} files, at the latest after {max(each.seconds for each in fates):.2f} s")


if __name__ == "__main__":
    main()
