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
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: is not a file")
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                try:
                    _check_columns(list(rows.fieldnames or ()))
                    for row in rows:
                        network, accuracy = _entry(row)
                        found[network].append(accuracy)
                except UnicodeDecodeError:
                    raise ValueError("no text in UTF-8") from None
                except (ValueError, csv.Error) as error:
                    raise ValueError(f"line {max(rows.line_num, 1)}: {error}") from None
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return cls(str(path), {name: sum(values) / len(values) for name, values in found.items()})

    def __call__(self, genome: Genome) -> Measurement:
        """Look up. Raises ValueError naming the file and the network when it is not there."""
        begun = time.perf_counter()
        network = str(genome.canonical())
        if network not in self.accuracies:
            raise ValueError(f"{self.file}: has no network {network}")
        return Measurement(self.accuracies[network], (), time.perf_counter() - begun)


def _check_columns(columns: list[str]) -> None:
    """See that both columns are there, once."""
    for name in (ACCURACY, NETWORK):
        if (count := columns.count(name)) != 1:
            raise ValueError(f"column {name} is there twice" if count else f"no column {name}")


def _entry(row: dict[str, str | None]) -> tuple[str, float]:
    """Return the canonical genome of a line and its accuracy."""
    if not (network := row[NETWORK]) or not (text := row[ACCURACY]):
        raise ValueError("a field is missing")
    accuracy = float(text)
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy: {text} is not between 0 and 1")
    return str(Genome.parse(network).canonical()), accuracy
