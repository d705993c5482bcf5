"""What is asked of a placer and what it answers, and which request is next; pure."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from coordinator.fog.layout import Layout, laid_out, predicted
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.standby import with_standby

MOST_DEATHS: Final = 2
"""A request that the process died of so often is answered with a reason, not tried again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request on its way: whose, which one, and the layout that serves, to be compared with."""

    key: str
    number: int
    request: LayoutRequest
    present: Layout | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a request: a layout, or the reason in one sentence why there is none.

    `present` is the layout that serves with what it is predicted to reach by the same knowledge;
    None where none was given, or where it cannot serve on these nodes.
    """

    key: str
    number: int
    layout: Layout | None
    reason: str = ""
    present: Layout | None = None


Deliver = Callable[[Placed], None]
"""Takes the answers, in any thread; putting them into an inbox is what it is for."""


class Placing(Protocol):
    """Whoever finds layouts, in this process or in one of its own."""

    def start(self) -> None:
        """Load what a layout needs now, without waiting for it."""
        ...

    def submit(self, key: str, request: LayoutRequest, present: Layout | None = None) -> int:
        """Ask for a layout and return the number of the request, at once.

        A request of the same key that still waits is superseded, and never answered.
        """
        ...

    def close(self) -> None:
        """Answer nothing more, and end within a second."""
        ...


def carried_out(job: Job) -> Placed:
    """Do what is asked; this takes seconds."""
    present = None
    if job.present is not None:
        with suppress(ValueError):
            present = predicted(job.request, job.present)
    try:
        layout = with_standby(job.request, laid_out(job.request))
    except ValueError as error:
        return Placed(job.key, job.number, None, str(error), present)
    return Placed(job.key, job.number, layout, "", present)


class PlacingQueue:
    """The requests that wait, one a key, and the one in work."""

    def __init__(self) -> None:
        self._waiting: dict[str, Job] = {}  # in the order in which their keys began to wait
        self._current: Job | None = None
        self._deaths = 0
        self._last = 0

    def start(self) -> None:
        """Load what a layout needs now, without waiting for it."""

    def submit(self, key: str, request: LayoutRequest, present: Layout | None = None) -> int:
        """Add a request, or put it in the place of one that waits; return its number."""
        self._last += 1
        self._waiting[key] = Job(key, self._last, request, present)
        return self._last

    def next(self) -> Job | None:
        """Return what to work on: again what was not answered, else what has waited longest."""
        if self._current is None and self._waiting:
            self._current = self._waiting.pop(next(iter(self._waiting)))
            self._deaths = 0
        return self._current

    def answered(self) -> None:
        """Take note that the request in work got its answer."""
        self._current = None

    def died(self) -> Placed | None:
        """Take note that the process died of the request in work; return its answer if that was once too often.

        A newer request of the same key goes in its place.
        """
        job = self._current
        if job is None:
            return None
        self._deaths += 1
        if job.key in self._waiting:
            self._current = None
        elif self._deaths >= MOST_DEATHS:
            self._current = None
            return Placed(job.key, job.number, None, "the process that places died of it, twice")
        return None
