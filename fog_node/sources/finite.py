"""Pictures that the camera paces: as many as there are, each whenever it is wanted."""

import itertools
from collections.abc import Callable, Iterator, Mapping

from fog_node.sources.newest import Size
from fog_node.sources.source import EVERY_TICK, Picture, Shape, SourceError, fitted
from pictures.errors import DatasetError
from pictures.framing import Framing
from pictures.reading import size_needed


class FiniteSource:
    """A :class:`~fog_node.sources.source.Source` of ``length`` pictures, which come over and over."""

    trouble: str | None = None

    def __init__(self, pictures: Iterator[Picture], length: int | None) -> None:
        self._pictures, self.length = pictures, length

    @property
    def counters(self) -> Mapping[str, int | float]:
        """How many pictures were ``skipped``, for they could not be read."""
        return {"skipped": 0}

    def newest(self, _now: float) -> int | None:
        """Return that there is always one."""
        return EVERY_TICK

    def want(self) -> None:
        """Do nothing: it is there."""

    def skip(self, count: int) -> None:
        """Pass over pictures that newer ones took the place of."""
        for _ in itertools.islice(self._pictures, count):
            pass

    def take(self, shape: Shape, framing: Framing, _now: float) -> Picture | None:
        """Return the next picture as uint8 of ``shape`` (C, H, W), None if it cannot be read.

        Raises:
            SourceError: there is none any more.
        """
        try:
            picture = self._next(size_needed(shape, framing))
            return None if picture is None else fitted(picture, shape, framing)
        except StopIteration:
            raise SourceError("the source has no more pictures") from None
        except (DatasetError, ValueError) as error:
            raise SourceError(str(error)) from None

    def _next(self, _at_least: Size) -> Picture | None:
        """Return the next picture, at least so high and wide where it is so large; None: it cannot be read."""
        return next(self._pictures)

    def on_news(self, wake: Callable[[], None]) -> None:
        """Do nothing: none is newer than the others."""

    def close(self) -> None:
        """Do nothing: nothing is open."""
