"""Which pictures were taken one after the other: bursts, frames of a film, a fixed camera's minutes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pictures.capture import name_time, running_number
from pictures.grouping.likeness import Thumbs, differences, usual_difference

BURST_S: Final = 2.0
"""So soon after each other pictures are a burst, whatever they show."""

SCENE_S: Final = 600.0
"""So soon after each other pictures that are alike show one scene."""

ALIKE: Final = 2.5
"""Mean difference in grey levels of pictures that are alike, or a third of what is usual if that is less."""

_FASTEST: Final = 30  # pictures a second; beyond it the clock stands still or was never set


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of when a picture was taken: by EXIF or else by its name."""

    file: str
    taken_s: float | None

    @property
    def by(self) -> str:
        """Which clock it is: times of different clocks are not compared."""
        return "exif" if self.taken_s is not None else "name"

    @property
    def time_s(self) -> float | None:
        """Seconds since 1970 by that clock."""
        return name_time(self.file) if self.taken_s is None else self.taken_s


def order(moments: Sequence[Moment]) -> list[int]:
    """Return the pictures in the order in which they were taken, as well as that is known."""
    times = _times(moments)
    return sorted(
        range(len(moments)), key=lambda i: (times[i] is None, times[i] or 0.0, _by_name(moments[i]))
    )


def _by_name(moment: Moment) -> tuple[str, int, str]:
    around, number = running_number(moment.file) or (moment.file, 0)
    return around, number, moment.file


def neighbours(moments: Sequence[Moment], thumbs: Thumbs) -> list[tuple[int, int]]:
    """Return pairs of pictures that belong to one burst or one scene."""
    alike_at = min(ALIKE, usual_difference(thumbs) / 3)

    def alike(one: int, other: int) -> bool:
        return float(differences(thumbs, [one], [other])[0]) <= alike_at

    found = set()
    for one, other, gap_s in _by_time(moments):
        if gap_s <= BURST_S or (gap_s <= SCENE_S and alike(one, other)):
            found.add((min(one, other), max(one, other)))
    for one, other in _by_number(moments):
        if alike(one, other):
            found.add((min(one, other), max(one, other)))
    return sorted(found)


def _times(moments: Sequence[Moment]) -> list[float | None]:
    """Return when the pictures were taken, without times that cannot be true."""
    times = [moment.time_s for moment in moments]
    seconds = Counter(int(time) for time in times if time is not None)
    return [None if time is not None and seconds[int(time)] > _FASTEST else time for time in times]


def _by_time(moments: Sequence[Moment]) -> Iterator[tuple[int, int, float]]:
    """Yield each picture with the next one by the same clock, and the seconds between them."""
    times = _times(moments)
    clocks: dict[str, list[tuple[float, int]]] = {}
    for index, (moment, time) in enumerate(zip(moments, times, strict=True)):
        if time is not None:
            clocks.setdefault(moment.by, []).append((time, index))
    for taken in clocks.values():
        for (before, one), (after, other) in pairwise(sorted(taken)):
            yield one, other, after - before


def _by_number(moments: Sequence[Moment]) -> Iterator[tuple[int, int]]:
    """Yield pictures whose names have numbers that follow each other."""
    series: dict[str, list[tuple[int, int]]] = {}
    for index, moment in enumerate(moments):
        if (numbered := running_number(moment.file)) is not None:
            series.setdefault(numbered[0], []).append((numbered[1], index))
    for numbers in series.values():
        for (before, one), (after, other) in pairwise(sorted(numbers)):
            if after - before <= 1:
                yield one, other
