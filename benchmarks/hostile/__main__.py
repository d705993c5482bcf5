"""A fog under attack: real messages, changed, on every topic, retained ones too; then everything restarts.

Broker, coordinator, four fog nodes and two cameras are real processes. docs/security.md says how it
is counted.
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import CLOSED, check_engine, staged
from benchmarks.hostile.attack import Attack
from benchmarks.plain_end import plain_end


def attacked(
    messages: int, rate: float, engine: str, seed: int, console: Console
) -> dict[str, Any]:
    """Attack a fog and return what came of it.

    Raises:
        StageError: the scene did not come about.
    """
    with staged(Setting(), engine, seed) as stage:
        found = Attack(stage, rate, console, seed).run(messages)
        stage.end()
        ends = stage.parts.endings()
        return {**found.row(), "tracebacks": sum(ending.traceback for ending in ends)}


def table_of(found: Mapping[str, Any]) -> Table:
    """Return what came of it as a table."""
    seconds = found["seconds"]
    table = Table(title=f"{found['sent']:,} hostile messages in {seconds:.0f} s")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("processes that ended", ", ".join(found["ends"]) or "0")
    table.add_row("tracebacks", str(found["tracebacks"]))
    for when, rate in found["rates"].items():
        table.add_row(f"answers a second {when}", f"{rate:.1f}")
    table.add_row("of the rate before", f"{found['goodput']:.2f}")
    for name, growth in sorted(found["growth"].items()):
        table.add_row(f"memory of {name}", f"{growth:+.1%}")
    return table


def main() -> int:
    """Attack; 1 if a process ended, memory grew by 10 %, or answers fell below 0.9 of the rate before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=2000.0, help="messages a second")
    parser.add_argument(
        "--engine",
        default=CLOSED,
        choices=("mosquitto", "embedded", CLOSED),
        help="closed: TLS and rights, and the attackers have a stolen node, camera and reader",
    )
    parser.add_argument("--seed", type=int, default=1, help="draws the changes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if arguments.messages < 1 or not arguments.rate > 0:
        parser.error("--messages and --rate are above 0")
    logging.getLogger("broker").setLevel(logging.ERROR)
    console = Console(stderr=True)
    with plain_end(console):
        check_engine(arguments.engine)
        found = attacked(
            arguments.messages, arguments.rate, arguments.engine, arguments.seed, console
        )
    if arguments.json:
        print(json.dumps(found))
    else:
        Console().print(table_of(found))
    return 1 if found["ended"] or found["memory"] >= 0.1 or found["goodput"] < 0.9 else 0


if __name__ == "__main__":
    sys.exit(main())
