"""Streaming for long, with a kill every 15 s: nothing is to be lost, and nothing to grow.

Two cameras stream reliably through four nodes. Nodes 2 to 4 are killed in turns drawn by chance and
come back after 3 s; broker, coordinator, node 1 and the cameras live throughout, and their memory,
descriptors and threads are sampled every 5 s. The first fifth of the time is left out of the slopes.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.chaos.fold import row_of
from benchmarks.chaos.records import RunRecord
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage, staged
from benchmarks.plain_end import plain_end
from benchmarks.slopes import slope_of
from broker.engine.choice import choose_engine

_AWAY_S: Final = 3.0
_SAMPLE_S: Final = 5.0
_SAMPLES: Final = 100
"""At least so many, however short the soak."""
_WARM_UP: Final = 0.2
_LEAST: Final = {"memory_bytes": 0.02, "descriptors": 1.0, "threads": 1.0}
"""Growth over the whole time that counts: of memory as a share of its mean, of the others in pieces."""
_MINUTES: Final = (1, 24 * 60)

Samples = Mapping[str, list[tuple[float, dict[str, int]]]]


class Soak:
    """One soak on one stage."""

    def __init__(self, stage: Stage, minutes: float, every_s: float, console: Console) -> None:
        self._stage, self._every_s, self._console = stage, every_s, console
        self._seconds = minutes * 60.0
        self._samples: dict[str, list[tuple[float, dict[str, int]]]] = defaultdict(list)
        self.kills = 0

    def run(self) -> None:
        """Stream, kill and sample until the cameras have sent all that they were to send."""
        stage = self._stage
        for camera in stage.setting.cameras:
            stage.stream(camera, seconds=self._seconds)
        stage.mark()
        begun = time.monotonic()
        kill_at, sample_at = begun + self._every_s, begun
        back_at: dict[str, float] = {}
        with self._console.status("streaming") as bar:
            while (now := time.monotonic()) < begun + self._seconds:
                if now >= kill_at:
                    back_at[self._kill(set(back_at))] = now + _AWAY_S
                    kill_at += self._every_s
                    bar.update(f"{(now - begun) / 60:.1f} minutes, {self.kills} kills")
                for node in [node for node, at in back_at.items() if now >= at]:
                    stage.start(node)
                    del back_at[node]
                if now >= sample_at:
                    self._sample(now - begun)
                    sample_at += min(_SAMPLE_S, self._seconds / _SAMPLES)
                time.sleep(0.1)

    def _kill(self, gone: set[str]) -> str:
        stage = self._stage
        node = stage.draw.choice([n for n in stage.setting.node_names[1:] if n not in gone])
        stage.parts.kill(node)
        self.kills += 1
        return node

    def _sample(self, at: float) -> None:
        pids = self._stage.parts.pids()
        engine = self._stage.broker.pids[-1]
        for name, pid in (pids | {"broker": engine}).items():
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    sample = {
                        "memory_bytes": process.memory_info().rss,
                        "descriptors": process.num_fds(),
                        "threads": process.num_threads(),
                    }
            except psutil.Error:  # it has just ended
                continue
            self._samples[name].append((at, sample))

    def processes(self) -> list[dict[str, Any]]:
        """Return the slopes of every process that lived throughout."""
        rows = []
        for name, samples in self._samples.items():
            warm = [entry for entry in samples if entry[0] >= _WARM_UP * self._seconds]
            if samples[0][0] > _WARM_UP * self._seconds or samples[-1][0] < 0.9 * self._seconds:
                continue
            seconds = [at for at, _ in warm]
            row: dict[str, Any] = {"process": name, "grows": []}
            for kind, least in _LEAST.items():
                slope = slope_of(seconds, [sample[kind] for _, sample in warm])
                row[kind] = asdict(slope)
                if slope.grows(least * slope.mean if kind == "memory_bytes" else least):
                    row["grows"].append(kind)
            rows.append(row)
        return rows


def soak(
    minutes: float, every_s: float, engine: str, seed: int, console: Console
) -> dict[str, Any]:
    """Soak and return what was found.

    Raises:
        StageError: the scene did not come about.
    """
    with staged(Setting(), engine, seed) as stage:
        soaking = Soak(stage, minutes, every_s, console)
        soaking.run()
        stage.cameras.wait(60.0)
        until = time.time()
        stage.end()
        begun = stage.marks[0]
        record = RunRecord(
            begun, begun, until, stage.cameras.records(), endings=stage.parts.endings()
        )
        row = row_of("soak", [record])
        kept = ("sent", "answered", "duplicates", "incomplete", "gap_max_s", "gave_up")
        told = ("exit_codes", "ended_by_itself", "tracebacks")
        return {
            "minutes": minutes,
            "kills": soaking.kills,
            **{name: row[name] for name in (*kept, *told)},
            "processes": soaking.processes(),
        }


def table_of(found: Mapping[str, Any]) -> Table:
    """Return the slopes as a table: per hour, with the 95 % interval."""
    lost = found["sent"] - found["answered"]
    title = (
        f"{found['minutes']:g} minutes, {found['kills']} kills, {found['sent']} sent, {lost} lost"
    )
    table = Table(title=title)
    for name in (
        "process",
        "MB",
        "MB per hour",
        "descriptors per hour",
        "threads per hour",
        "grows",
    ):
        table.add_column(name, justify="left" if name in ("process", "grows") else "right")
    for row in found["processes"]:
        memory = row["memory_bytes"]
        table.add_row(
            row["process"],
            f"{memory['mean'] / 1e6:.1f}",
            _interval(memory, 1e6),
            _interval(row["descriptors"], 1.0),
            _interval(row["threads"], 1.0),
            ", ".join(row["grows"]) or "nothing",
        )
    return table


def _interval(slope: Mapping[str, float], unit: float) -> str:
    return f"{slope['per_hour'] / unit:+.2f} ({slope['low'] / unit:+.2f} to {slope['high'] / unit:+.2f})"


def _minutes(text: str) -> float:
    """Return a number of minutes."""
    least, most = _MINUTES
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not least <= minutes <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not from {least} to {most}")
    return minutes


def main() -> int:
    """Soak; 1 if a frame was lost or answered twice, a process ended, or something grows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=30.0)
    parser.add_argument(
        "--every", type=float, default=15.0, help="seconds between kills, at least 5"
    )
    parser.add_argument("--engine", default="mosquitto", choices=("mosquitto", "embedded"))
    parser.add_argument("--seed", type=int, default=1, help="draws the victims")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    with plain_end(console):
        choose_engine(arguments.engine)
        found = soak(
            arguments.minutes,
            max(5.0, arguments.every),
            arguments.engine,
            arguments.seed,
            console,
        )
    if arguments.json:
        print(json.dumps(found))
    else:
        Console().print(table_of(found))
        for ending, count in found["ended_by_itself"].items():
            print(f"ended by itself, {count} times: {ending}")
    lost = found["sent"] != found["answered"] or found["duplicates"] or found["ended_by_itself"]
    grows = any(row["grows"] for row in found["processes"])
    return 1 if lost or grows else 0


if __name__ == "__main__":
    sys.exit(main())
