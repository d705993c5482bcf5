"""All faults, in the order in which they are played."""

from typing import Final

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.faults.deaths import DEATHS
from benchmarks.chaos.faults.folders import FOLDERS
from benchmarks.chaos.faults.freezes import FREEZES
from benchmarks.chaos.faults.links import LINKS
from benchmarks.chaos.faults.messages import MESSAGES
from benchmarks.chaos.faults.weakness import WEAKNESS
from benchmarks.chaos.faults.wishes import WISHES

FAULTS: Final[dict[str, Fault]] = {
    fault.name: fault
    for fault in (*DEATHS, *FREEZES, *LINKS, *MESSAGES, *FOLDERS, *WISHES, *WEAKNESS)
}
