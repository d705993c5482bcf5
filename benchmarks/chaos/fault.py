"""A fault: what it is called, what it is played on, and what is done to the stage."""

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import Stage

Heal = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    ``strike`` does it and returns what ends it, if anything does; that is called ``holds_s`` after,
    when ``status`` has been asked, ``look_s`` after the last mark. ``prepare`` runs before the
    cameras. ``networks`` are those besides the setting's that ``strike`` deploys.
    """

    name: str
    what: str
    strike: Callable[[Stage], Heal | None]
    setting: Setting = field(default_factory=Setting)
    prepare: Callable[[Stage], None] = lambda _stage: None
    after_s: tuple[float, float] = (1.0, 2.5)
    """It strikes so long, drawn, after every camera's first answers."""
    holds_s: float = 0.0
    look_s: float = 5.0
    networks: tuple[str, ...] = ()
    why_not: Callable[[str], str | None] = lambda _engine: None
    """Why it cannot be played on this machine with this engine, in one sentence; None if it can."""
