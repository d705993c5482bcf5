"""What was measured before, looked up: a table of networks as an evaluator."""

import csv
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from evolution.genome import Genome
from models.measurement import Measurement

NETWORK, ACCURACY = "network", "accuracy"


@dataclass(frozen=True, slots=True)
class TableEvaluator:
    """Says of a genome the accuracy that its network has in the table, the mean over its lines.

    file: what to call the table. accuracies: by the text of the canonical genome.
    """

    file: str
    accuracies: dict[str, float] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "TableEvaluator":
        """Read a CSV file whose first line names the columns, `network` and `accuracy` among them.

        A network may have several lines, of several seeds. Raises ValueError, one sentence naming the
        file and the line.
        """
        found: defaultdict[str, list[float]] = defaultdict(list)
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file)
                if missing := {NETWORK, ACCURACY} - set(rows.fieldnames or ()):
                    raise ValueError(f"{path}: line 1: no column {min(missing)}")
                try:
                    for row in rows:
                        network, accuracy = _entry(row)
                        found[network].append(accuracy)
                except (ValueError, csv.Error) as error:
                    raise ValueError(f"{path}: line {rows.line_num}: {error}") from None
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path}: is not text") from None
        return cls(str(path), {name: sum(values) / len(values) for name, values in found.items()})

    def __call__(self, genome: Genome) -> Measurement:
        """Look up. Raises ValueError naming the file and the network when it is not there."""
        begun = time.perf_counter()
        network = str(genome.canonical())
        if network not in self.accuracies:
            raise ValueError(f"{self.file}: has no network {network}")
        return Measurement(self.accuracies[network], (), time.perf_counter() - begun)


def _entry(row: dict[str, str | None]) -> tuple[str, float]:
    """Return the canonical genome of a line and its accuracy."""
    if not (network := row[NETWORK]) or not (text := row[ACCURACY]):
        raise ValueError("a field is missing")
    accuracy = float(text)
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy: {text} is not between 0 and 1")
    return str(Genome.parse(network).canonical()), accuracy
