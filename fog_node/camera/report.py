"""What a command says of its streams: each answer as it comes, and what they came to."""

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from broker.command_line import error_console, refuse, say, say_json
from broker.files.outputs import check_output_file
from broker.files.text import FileError
from fog_node.camera.answer_line import answer_line, summary_line
from fog_node.camera.stream import Answer, CameraStream


class _Lines:
    """A file that several threads write whole lines to."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()

    def write(self, line: str) -> int:
        with self._lock:
            return self._file.write(line)

    def flush(self) -> None:
        with self._lock:
            self._file.flush()


class Report:
    """Tells answers on stdout unless ``quiet``, and nothing but one object there ``as_json``.

    ``several``: a line names its deployment, for a camera feeds more than one. Answers that are not told
    are counted by a bar, on a terminal.
    """

    def __init__(
        self, log: Path | None, *, quiet: bool, as_json: bool, several: bool = False
    ) -> None:
        self._tells = not quiet and not as_json
        self._as_json, self._several = as_json, several
        self._file = None if log is None else _opened(log)
        self.log: Any = None if self._file is None else _Lines(self._file)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed} answered"),
            TimeRemainingColumn(),
            console=error_console,
            disable=as_json or self._tells or not error_console.is_terminal,
        )
        self._rows: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self._file is not None:
            self._file.close()

    def tell(self, answer: Answer) -> None:
        """Tell an answer, on any thread."""
        if self._tells:
            say(answer_line(answer, time.time(), of_several=self._several))

    def progress(self, stream: CameraStream) -> None:
        """Show how far a stream is, on any thread."""
        if self._bar.disable:
            return
        row = self._rows.get(id(stream))
        if row is None:
            row = self._rows[id(stream)] = self._bar.add_task("answers", total=stream.count)
        self._bar.update(row, completed=stream.counters.answered)

    def end(self, summary: Mapping[str, Any]) -> None:
        """Say what one stream came to, and end the command with 1 if that is nothing."""
        self._bar.stop()
        if self._as_json:
            say_json(summary)
        else:
            say(summary_line(summary))
        self._exit([summary])

    def end_all(
        self,
        summaries: list[dict[str, Any]],
        other: Mapping[str, Any],
        *,
        told_to_stop: bool = False,
    ) -> None:
        """Say what several streams came to; ``other`` is what was counted beside them.

        A service that was ``told_to_stop`` ends well, whatever its cameras did.
        """
        self._bar.stop()
        if self._as_json:
            say_json({"streams": summaries, **other})
        else:
            lines = [summary_line(each, of_several=self._several) for each in summaries]
            say(*(lines or ["no camera has shown itself"]))
            say(*_told(other))
        if not told_to_stop:
            self._exit(summaries)

    def _exit(self, summaries: list[Any]) -> None:
        if any(_failed(each) for each in summaries):
            raise typer.Exit(1)


def _told(other: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was counted beside the streams, a line a source."""
    for name, counted in other.items():
        if isinstance(counted, Mapping):
            words = ", ".join(f"{key} {value}" for key, value in counted.items() if value)
            if words:
                yield f"{name}: {words}"
        elif counted:
            yield f"{name}: {counted}"


def _failed(summary: Mapping[str, Any]) -> bool:
    wanted = summary["sent"] if summary["delivery"] == "reliable" else 1
    unanswered = bool(summary["sent"]) and summary["answered"] < wanted
    return bool(summary["gave_up"] or summary["fault"] or unanswered)


def _opened(log: Path) -> TextIO:
    try:
        check_output_file("--log", log)
        return log.open("w", encoding="utf-8")
    except FileError as error:
        refuse(error)
    except OSError as error:
        refuse(f"--log {log}: {error.strerror}")
