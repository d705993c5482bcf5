"""How soon a fog node is ready, and what it takes: ``python -m benchmarks.fog_node [--runs N] [--json]``.

Starts ``fog-node run`` on a broker on loopback, waits for its ready line and reads its resident memory then (the
partitions of a deployment come on top). A bare interpreter that imports onnxruntime is measured beside it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from broker.engine.running import running_broker

_BARE = "import onnxruntime, sys; print('ready', flush=True); sys.stdin.read()"


def _measure(command: list[str]) -> tuple[float, float]:
    """Return the seconds to the first line, and the megabytes resident then."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        if process.stdout is None or not process.stdout.readline():
            raise SystemExit(f"{command[0]} ended before it was ready")
        seconds = time.perf_counter() - began
        megabytes = psutil.Process(process.pid).memory_info().rss / 1e6
        process.terminate()
    return seconds, megabytes


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    program = str(Path(sys.executable).with_name("fog-node"))
    rows: dict[str, list[tuple[float, float]]] = {"fog-node run": [], "import onnxruntime": []}
    with running_broker() as broker, tempfile.TemporaryDirectory() as state:
        for run in range(arguments.runs):
            node = ["--id", f"node-{run}", "--broker", broker.url, "--state-dir", state]
            rows["fog-node run"].append(_measure([program, "run", *node]))
            rows["import onnxruntime"].append(_measure([sys.executable, "-c", _BARE]))
    result = {
        name: {
            "ready_s": {
                "median": statistics.median(seconds for seconds, _ in runs),
                "max": max(seconds for seconds, _ in runs),
            },
            "memory_mb": {
                "median": statistics.median(megabytes for _, megabytes in runs),
                "max": max(megabytes for _, megabytes in runs),
            },
        }
        for name, runs in rows.items()
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{arguments.runs} runs        ready s: median, max    memory MB: median, max")
    for name, row in result.items():
        ready, memory = row["ready_s"], row["memory_mb"]
        print(
            f"{name:<18} {ready['median']:9.2f} {ready['max']:9.2f}"
            f" {memory['median']:18.0f} {memory['max']:6.0f}"
        )


if __name__ == "__main__":
    main()
