"""A run folder: what a search was asked, what it has measured, and what came of it.

| file | what |
|---|---|
| ``config.json`` | the configuration, whole: paths absolute, devices read |
| ``measured.jsonl`` | a line the moment a network has been measured: all that a resumed run needs |
| ``individuals.jsonl`` | a line per individual, written as generations are complete |
| ``state.json`` | the genetic algorithm after the last complete generation, random state included |
| ``supernet.pt`` | the shared weights, when the evaluator is a supernet |
| ``result.json``, ``timing.json``, ``report.html`` | what came of it, how long it took, pictures |
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, ValidationError

from broker.files.outputs import check_output_folder
from broker.files.strict_json import parse_json
from broker.first_fault import first_fault
from coordinator.files import FileError, read_config, read_json, write_json, write_text
from coordinator.search.config import SearchConfig

CONFIG: Final = "config.json"
MEASURED: Final = "measured.jsonl"
INDIVIDUALS: Final = "individuals.jsonl"
STATE: Final = "state.json"
SUPERNET: Final = "supernet.pt"
RESULT: Final = "result.json"
TIMING: Final = "timing.json"
REPORT: Final = "report.html"

_FILES: Final = (CONFIG, MEASURED, INDIVIDUALS, STATE, SUPERNET, RESULT, TIMING, REPORT)
_OURS: Final = frozenset([*_FILES, *(f"{name}.part" for name in _FILES)])

_FREE: Final = frozenset({"workers"})
"""What does not change what a search finds, so a resumed run may have others."""


class _Measured(BaseModel):
    """A line of ``measured.jsonl``."""

    network: str
    accuracy: Annotated[float, Field(ge=0, le=1)]
    seconds: Annotated[float, Field(ge=0, le=1e9)]


class Run:
    """A run folder; ``accuracy`` and ``seconds`` are what is measured so far, by network.

    Raises:
        FileError: it holds another configuration, a run already and ``resume`` is not asked for, or
            a record that cannot be read.
    """

    def __init__(self, folder: Path, config: SearchConfig, *, resume: bool) -> None:
        self.folder, self.config = folder, config
        wanted = config.model_dump(mode="json")
        check_run_folder(folder, resume=resume)
        if resume and (folder / CONFIG).exists():
            found = read_config(folder / CONFIG, SearchConfig).model_dump(mode="json")
            for name in wanted.keys() - _FREE:
                if found[name] != wanted[name]:
                    raise FileError(f"{folder / CONFIG}: {name}: this run was begun with another")
        self.accuracy: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self._read_measured()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / CONFIG, wanted)
        except OSError as error:
            raise FileError(f"{folder}: {error.strerror}") from None

    def _read_measured(self) -> None:
        """Take what earlier runs measured; a torn last line is cut off."""
        path = self.folder / MEASURED
        if not path.exists():
            return
        whole: list[str] = []
        for line, record in _records(path):
            try:
                measured = _Measured.model_validate(record)
            except ValidationError as error:
                fault = first_fault(error, "the line")
                raise FileError(f"{path}: line {len(whole) + 1}: {fault}") from None
            self.accuracy[measured.network] = measured.accuracy
            self.seconds[measured.network] = measured.seconds
            whole.append(line)
        write_text(path, "".join(line + "\n" for line in whole))

    def remember(self, network: str, accuracy: float, seconds: float) -> None:
        """Keep a measurement at once."""
        self.accuracy[network], self.seconds[network] = accuracy, seconds
        self._append(MEASURED, [{"network": network, "accuracy": accuracy, "seconds": seconds}])

    def begin(self) -> None:
        """Start the list of individuals anew: a resumed run goes through all of them again."""
        (self.folder / INDIVIDUALS).write_text("", encoding="utf-8")

    def keep_generation(
        self, individuals: Sequence[Mapping[str, Any]], state: Mapping[str, Any]
    ) -> None:
        """Append the individuals of a complete generation, and keep the state after it."""
        self._append(INDIVIDUALS, individuals)
        write_json(self.folder / STATE, state)

    def finish(self, result: Mapping[str, Any], seconds: float) -> None:
        """Write what came of the search, and how long it took (this time, and all measurements)."""
        write_json(self.folder / RESULT, result)
        measuring = sum(self.seconds.values())
        write_json(self.folder / TIMING, {"seconds": seconds, "measuring_s": measuring})

    def _append(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records))


def check_run_folder(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that no run can be kept in; one that is missing is not made yet.

    Raises:
        FileError: it cannot be written, holds something else, or a run and ``resume`` is not asked for.
    """
    check_output_folder("--out", folder, _OURS)
    if not resume and ((folder / MEASURED).exists() or (folder / SUPERNET).exists()):
        raise FileError(f"{folder}: holds a run; --resume goes on with it")


def read_individuals(folder: Path) -> list[dict[str, Any]]:
    """Return the individuals of a run in order; a torn last line is left out.

    Raises:
        FileError: there are none, or a line before the last cannot be read.
    """
    path = folder / INDIVIDUALS
    if not path.exists():
        raise FileError(f"{path}: No such file or directory")
    return [record for _, record in _records(path)]


def read_result(folder: Path) -> dict[str, Any]:
    """Return ``result.json`` of a finished run.

    Raises:
        FileError: it is missing or no JSON, or has no best genome.
    """
    path = folder / RESULT
    if not path.exists() and (folder / CONFIG).exists():
        raise FileError(f"{folder}: the search is not finished; `search --resume` goes on with it")
    result = read_json(path)
    if not isinstance(result, dict) or not isinstance(result.get("best"), dict):
        raise FileError(f"{path}: best: is missing")
    if not isinstance(result["best"].get("genome"), str):
        raise FileError(f"{path}: best.genome: is missing")
    return result


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each line with the JSON in it; the last one may be torn by a kill, and is then left out."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            record = parse_json(line)
        except ValueError:
            if number < len(lines):
                raise FileError(f"{path}: line {number} cannot be read") from None
            return
        yield line, record
