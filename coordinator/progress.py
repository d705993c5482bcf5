"""How far a long computation is: bars on a terminal, elsewhere one line a minute on stderr."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from broker.command_line import error_console
from broker.printable import printable

EVERY_S: Final = 60.0
"""Between two lines where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one part of a computation is; ``since_s`` and ``already`` are when and where it began."""

    title: str
    done: int
    total: int | None
    note: str
    since_s: float
    already: int

    def line(self, now_s: float) -> str:
        """Return it as one line, with the time it took and, where that can be told, the time left."""
        took_s, did = now_s - self.since_s, self.done - self.already
        parts = [f"{self.title}: {self.done}"]
        if self.total:
            parts[0] += f" of {self.total}"
        parts.append(f"{duration(took_s)} so far")
        if self.total and did > 0 and self.done < self.total:
            parts.append(f"about {duration(took_s / did * (self.total - self.done))} left")
        if self.note:
            parts.append(self.note)
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a time as people say it: 40 s, 3 min 5 s, 2 h 10 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """Told how far each part of a computation is, in the order in which the parts begin."""

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}

    def tell(
        self, part: str, done: int, total: int | None = None, note: str = "", title: str = ""
    ) -> None:
        """Take note that ``done`` of ``total`` is done (None: nobody knows how many there will be).

        part: always the same for one part, and its name unless it has a ``title`` of the moment.
        """
        before = self._standings.get(part)
        since_s, already = (
            (time.monotonic(), done) if before is None else (before.since_s, before.already)
        )
        self._standings[part] = Standing(title or part, done, total, note, since_s, already)

    @property
    def standing(self) -> Standing | None:
        """How far the part is that began last."""
        standings = list(self._standings.values())
        return standings[-1] if standings else None


class _OnTerminal(Progress):
    """Draws each part as a bar."""

    def __init__(self, bars: Bars) -> None:
        super().__init__()
        self._bars, self._rows = bars, dict[str, TaskID]()

    def tell(
        self, part: str, done: int, total: int | None = None, note: str = "", title: str = ""
    ) -> None:
        super().tell(part, done, total, note, title)
        if part not in self._rows:
            self._rows[part] = self._bars.add_task(part, total=total, note=note)
        self._bars.update(
            self._rows[part],
            completed=done,
            total=total,
            note=printable(note, None),
            description=printable(title or part, None),
        )


@contextmanager
def progress(
    *, quiet: bool = False, console: Console = error_console, every_s: float = EVERY_S
) -> Iterator[Progress]:
    """Show on stderr, for as long as the context lasts, what its value is told.

    ``quiet``: show nothing. The lines come once in ``every_s`` seconds, also while nothing is told.
    """
    if quiet:
        yield Progress()
    elif console.is_terminal:
        with _bars(console) as bars:
            yield _OnTerminal(bars)
    else:
        with _lines(console, every_s) as told:
            yield told


def _bars(console: Console) -> Bars:
    # Notes hold names that others made up: `[` in them is not markup.
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
    )


@contextmanager
def _lines(console: Console, every_s: float) -> Iterator[Progress]:
    told, over = Progress(), threading.Event()

    def speak() -> None:
        while not over.wait(every_s):
            if (standing := told.standing) is not None:
                line = printable(standing.line(time.monotonic()), None)
                console.print(line, highlight=False, soft_wrap=True, markup=False)

    thread = threading.Thread(target=speak, name="progress", daemon=True)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
