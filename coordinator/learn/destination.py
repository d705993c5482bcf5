"""The folder that `learn` fills.

| file | what |
|---|---|
| ``search.yaml`` | what was decided: change it and run it again with ``search`` |
| ``run/`` | the search, as `search` keeps it |
| ``bundle/`` | what `deploy` takes |
| ``report.html``, ``learn.json`` | what was learned, for people and for programs |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from broker.files.outputs import check_output_folder
from coordinator.files import FileError, read_json, write_json, write_text

_NAMES: Final = ("search.yaml", "run", "bundle", "report.html", "learn.json")
_OURS: Final = frozenset([*_NAMES, *(f"{name}.part" for name in _NAMES)])


@dataclass(frozen=True, slots=True)
class Destination:
    """Where what was learned goes."""

    folder: Path

    @property
    def search_file(self) -> Path:
        """What was decided."""
        return self.folder / "search.yaml"

    @property
    def run(self) -> Path:
        """The run folder of the search."""
        return self.folder / "run"

    @property
    def bundle(self) -> Path:
        """The trained model."""
        return self.folder / "bundle"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.folder / "report.html"

    @property
    def result(self) -> Path:
        """What ``--json`` prints."""
        return self.folder / "learn.json"

    def check(self, data: str, *, resume: bool) -> None:
        """Refuse a folder among the pictures, with something else in it, or with a run that is not to go on.

        Raises:
            FileError: it is one of these, or cannot be written.
        """
        if Path(data).is_dir() and self.folder.resolve().is_relative_to(Path(data).resolve()):
            raise FileError(
                f"--out {self.folder}: lies among the pictures; name a folder elsewhere"
            )
        check_output_folder("--out", self.folder, _OURS)
        if not resume and any((self.folder / name).exists() for name in _NAMES):
            raise FileError(
                f"--out {self.folder}: holds what was learned before; --resume goes on with it"
            )

    def keep_decisions(self, settings: Mapping[str, Any], introduction: str) -> None:
        """Write the search file; one that is there already has to say the same.

        Raises:
            FileError: it says something else, or cannot be written.
        """
        body = yaml.safe_dump(dict(settings), sort_keys=False, default_flow_style=None, width=100)
        comment = "".join(f"# {line}\n" for line in introduction.splitlines())
        try:
            if not self.search_file.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                write_text(self.search_file, comment + body)
            elif self.search_file.read_text(encoding="utf-8") != comment + body:
                raise FileError(
                    f"{self.search_file}: is not what these options decide for these pictures; run it with "
                    "`search`, or name another --out"
                )
        except OSError as error:
            raise FileError(f"{self.search_file}: {error.strerror}") from None

    def finished(self) -> dict[str, Any] | None:
        """Return what ``learn.json`` says, which is written last; None where something is not done.

        Raises:
            FileError: it cannot be read.
        """
        if not (self.result.exists() and self.report.exists() and self.bundle.is_dir()):
            return None
        found = read_json(self.result)
        return found if isinstance(found, dict) else None

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write ``learn.json``, last of all.

        Raises:
            FileError: it cannot be written.
        """
        try:
            write_json(self.result, dict(summary))
        except OSError as error:
            raise FileError(f"{self.result}: {error.strerror}") from None
