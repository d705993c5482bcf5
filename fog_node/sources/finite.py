"""Pictures that the camera paces: as many as there are, each whenever it is wanted."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping

from fog_node.sources.source import EVERY_TICK, Picture, Shape, SourceError, fitted
from pictures.errors import DatasetError
from pictures.framing import Framing


class FiniteSource:
    """A :class:`~fog_node.sources.source.Source` of ``length`` pictures, which come over and over.

    ``damaged`` are those among them that could not be read; they are skipped.
    """

    trouble: str | None = None

    def __init__(
        self, pictures: Iterator[Picture], length: int | None, damaged: Collection[object] = ()
    ) -> None:
        self._pictures, self.length, self._damaged = pictures, length, damaged

    @property
    def counters(self) -> Mapping[str, int | float]:
        """How many pictures were ``skipped``, for they could not be read."""
        return {"skipped": len(self._damaged)}

    def newest(self, _now: float) -> int | None:
        """Return that there is always one."""
        return EVERY_TICK

    def want(self) -> None:
        """Do nothing: it is there."""

    def skip(self, count: int) -> None:
        """Pass over pictures that newer ones took the place of."""
        for _ in itertools.islice(self._pictures, count):
            pass

    def take(self, shape: Shape, framing: Framing, _now: float) -> Picture:
        """Return the next picture as uint8 of ``shape`` (C, H, W).

        Raises:
            SourceError: there is none any more.
        """
        try:
            return fitted(next(self._pictures), shape, framing)
        except StopIteration:
            raise SourceError("the source has no more pictures") from None
        except (DatasetError, ValueError) as error:
            raise SourceError(str(error)) from None

    def on_news(self, wake: Callable[[], None]) -> None:
        """Do nothing: none is newer than the others."""

    def close(self) -> None:
        """Do nothing: nothing is open."""
