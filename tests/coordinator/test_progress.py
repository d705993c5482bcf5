"""Long work says how far it is, with a terminal and without one."""

import io
import threading

import pytest
from rich.console import Console

from coordinator.progress import Progress, Standing, duration, progress


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_line_says_what_is_done_and_what_is_left() -> None:
    half = Standing("generation 2/4", 60, 100, "best 0.91", since_s=10.0, already=20)
    assert half.line(50.0) == "generation 2/4: 60 of 100, 40 s so far, about 40 s left, best 0.91"
    assert Standing("reading", 7, None, "", 0.0, 0).line(90) == "reading: 7, 1 min 30 s so far"
    assert Standing("reading", 9, 9, "", 0.0, 0).line(1) == "reading: 9 of 9, 1 s so far"


def test_the_time_left_does_not_count_what_was_done_before() -> None:
    told = Progress()
    told.tell("searching", 90, 100)  # resumed
    told.tell("searching", 95, 100, title="generation 3")
    standing = told.standing
    assert standing is not None
    assert (standing.title, standing.already) == ("generation 3", 90)
    assert "about 10 s left" in standing.line(standing.since_s + 10)


class _Heard(io.StringIO):
    """What is written, and an event for each line."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        if "\n" in text:
            self.line.set()
        return count


def test_without_a_terminal_lines_come_by_themselves() -> None:
    heard = _Heard()
    with progress(console=Console(file=heard), every_s=0.01) as told:
        told.tell("reading", 3, 8, note="[cat]\x1b[31m.jpg")
        assert heard.line.wait(60)
    line = heard.getvalue().splitlines()[0]
    assert line.startswith("reading: 3 of 8, 0 s so far, [cat]")
    assert "\x1b" not in line


def test_with_a_terminal_there_are_bars() -> None:
    screen = io.StringIO()
    with progress(console=Console(file=screen, force_terminal=True, width=120)) as told:
        told.tell("reading", 3, 8)
        told.tell("training", 1, 2, note="[loss] 0.1", title="epoch 1")
    shown = screen.getvalue()
    assert "3/8" in shown
    assert "epoch 1" in shown
    assert "[loss] 0.1" in shown


def test_quiet_is_quiet() -> None:
    for terminal in (True, False):
        screen = io.StringIO()
        with progress(quiet=True, console=Console(file=screen, force_terminal=terminal)) as told:
            told.tell("reading", 1, 2)
        assert not screen.getvalue()
