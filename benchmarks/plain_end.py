"""How a benchmark ends that could not be played: one plain line and code 2, or the code of its signal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from benchmarks.chaos.parts import StageError
from broker.ending import Ended, ended_by_signals
from broker.engine.address import EngineError


@contextmanager
def plain_end(console: Console, *refusals: type[Exception]) -> Iterator[None]:
    """Play in this context; ``refusals`` are what else may keep it from being played.

    Raises:
        SystemExit: it was not played.
    """
    refused: tuple[type[Exception], ...] = (EngineError, StageError, *refusals)
    try:
        with ended_by_signals():
            yield
    except refused as error:
        console.print(f"error: {error}", style="red", highlight=False)
        raise SystemExit(2) from None
    except Ended as ended:
        raise SystemExit(ended.code) from None
