"""Faults against real processes in mid-stream, one row a fault.

A broker, a coordinator and fog nodes are started for every run, two cameras stream, and at a random
moment the fault strikes. docs/reliability.md says how it is counted.
"""

import argparse
import json
import logging
import sys

from rich.console import Console

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.faults.table import FAULTS
from benchmarks.chaos.programme import Programme
from benchmarks.chaos.stage import CLOSED, check_engine
from benchmarks.chaos.table import table_of
from benchmarks.plain_end import plain_end


def _faults(text: str) -> list[Fault]:
    """Return the faults of a comma-separated list."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in FAULTS:
            raise argparse.ArgumentTypeError(f"no fault {name!r}; --list says what there is")
    return [FAULTS[name] for name in names]


def _count(text: str) -> int:
    """Return a number of runs."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--runs", type=_count, default=1, help="of every fault")
    parser.add_argument(
        "--faults", type=_faults, default=list(FAULTS.values()), help="names, with commas; else all"
    )
    parser.add_argument(
        "--engine",
        default="mosquitto",
        choices=("mosquitto", "embedded", CLOSED),
        help="closed: Mosquitto with TLS, everybody's rights, and signed deployments",
    )
    parser.add_argument("--seed", type=int, default=1, help="draws the moments and the victims")
    parser.add_argument("--list", action="store_true", help="say what the faults are, and end")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def main() -> int:
    """Play, print the table or the JSON; 1 if a run could not be played."""
    arguments = _arguments()
    if arguments.list:
        for fault in FAULTS.values():
            print(f"{fault.name:<28} {fault.what}")
        return 0
    logging.getLogger("broker").setLevel(logging.ERROR)  # that the broker is gone is no news here
    console = Console(stderr=True)
    programme = Programme(arguments.runs, arguments.engine, arguments.seed, console)
    with plain_end(console):
        check_engine(arguments.engine)
        rows = programme.rows(arguments.faults)
    if arguments.json:
        print(json.dumps({"faults": rows}))
    else:
        Console().print(table_of(rows))
    return 1 if any(row.get("not_played") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
