"""Many runs of many faults, and what is said while they are played."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.fold import empty_row, row_of
from benchmarks.chaos.networks import make_bundle
from benchmarks.chaos.parts import StageError
from benchmarks.chaos.run import play


@dataclass(frozen=True, slots=True)
class Programme:
    """How the faults are played; ``seed`` draws the moments and the victims."""

    runs: int
    engine: str
    seed: int
    console: Console

    def rows(self, faults: Sequence[Fault]) -> list[dict[str, Any]]:
        """Play every fault and return its row; one that cannot be played here says why."""
        with TemporaryDirectory(prefix="fogweave-bundles-") as folder:
            return [self._row(fault, Path(folder)) for fault in faults]

    def _row(self, fault: Fault, bundles: Path) -> dict[str, Any]:
        told = empty_row(fault.name) | {"what": fault.what, "engine": self.engine}
        reason = fault.why_not(self.engine)
        if reason is not None:
            self._say(f"{fault.name}: skipped, {reason}")
            return told | {"skipped": reason}
        for network in (fault.setting.network, *fault.networks):
            if not (bundles / network).exists():
                make_bundle(network, bundles / network)
        records, failures = [], []
        for run in range(self.runs):
            with self.console.status(f"{fault.name}, run {run + 1} of {self.runs}: {fault.what}"):
                try:
                    records.append(play(fault, run, bundles, self.engine, self.seed))
                except StageError as error:
                    failures.append(str(error))
                    self._say(f"{fault.name}, run {run + 1}: {error}")
        row = told | (row_of(fault.name, records) if records else {}) | {"not_played": failures}
        if records:
            self._say(
                f"{fault.name}: {row['answered']} of {row['sent']} answered, "
                f"{row['duplicates']} twice, {row['incomplete']} incomplete, "
                f"gap {row['gap_max_s']} s, complete after {row['complete_max_s']} s"
            )
        return row

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)
