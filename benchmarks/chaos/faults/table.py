"""All faults, in the order in which they are played."""

from typing import Final

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.faults.deaths import DEATHS
from benchmarks.chaos.faults.freezes import FREEZES
from benchmarks.chaos.faults.links import LINKS

FAULTS: Final[dict[str, Fault]] = {fault.name: fault for fault in (*DEATHS, *FREEZES, *LINKS)}
