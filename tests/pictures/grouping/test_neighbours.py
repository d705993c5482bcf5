"""Bursts and the minutes of a fixed camera are known by the clock, by numbers and by likeness."""

import numpy as np
import numpy.typing as npt
import pytest

from pictures.capture import name_time, running_number
from pictures.grouping.likeness import SIDE
from pictures.grouping.neighbours import Moment, neighbours, order

Array = npt.NDArray[np.uint8]


def thumbs(*levels: int) -> Array:
    return np.stack([np.full((SIDE, SIDE), level, np.uint8) for level in levels])


def named(*files: str) -> list[Moment]:
    return [Moment(file, None) for file in files]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("closed/IMG_20260103_141530.jpg", 1767449730.0),
        ("PXL_20260103_141530250.MP.jpg", 1767449730.25),
        ("Screenshot 2026-01-03 at 14.15.30.png", 1767449730.0),
        ("2026-01-03T14:15:30.jpg", 1767449730.0),
        ("front_door-1767449730.25-k2j3.jpg", 1767449730.25),
        ("1767449730250.png", 1767449730.25),
        ("IMG_1234.jpg", None),
        ("20261303_141530.jpg", None),  # no such month
        ("IMG-20260103-WA0012.jpg", None),  # a day is no moment
    ],
)
def test_a_name_may_tell_the_time(name: str, seconds: float | None) -> None:
    assert name_time(name) == seconds


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("a/IMG_0012.jpg", ("a/IMG_#", 12)),
        ("a/IMG_0013.png", ("a/IMG_#", 13)),
        ("cam 2 (7).jpg", ("./cam 2 (#)", 7)),
        ("door.jpg", None),
    ],
)
def test_a_name_may_have_a_running_number(name: str, series: tuple[str, int] | None) -> None:
    assert running_number(name) == series


def test_a_burst_is_known_by_the_clock_whatever_it_shows() -> None:
    taken = [
        Moment(name, time)
        for name, time in (("a", 100.0), ("b", 500.0), ("c", 101.5), ("d", 503.0))
    ]
    assert neighbours(taken, thumbs(10, 20, 200, 90)) == [(0, 2)]


def test_minutes_of_one_scene_belong_together_and_others_do_not() -> None:
    taken = named(
        "20260103_141000.jpg", "20260103_141500.jpg", "20260103_142000.jpg", "20260103_180000.jpg"
    )
    assert neighbours(taken, thumbs(100, 101, 150, 150)) == [(0, 1)]


def test_numbers_that_follow_each_other_count_where_pictures_are_alike() -> None:
    files = named("x/1.jpg", "x/2.jpg", "x/3.jpg", "x/5.jpg", "y/6.jpg")
    assert neighbours(files, thumbs(100, 101, 160, 160, 160)) == [(0, 1)]


def test_alike_is_less_where_all_pictures_are_nearly_alike() -> None:
    files = named(*(f"{number}.jpg" for number in range(6)))
    assert neighbours(files, thumbs(100, 102, 104, 102, 100, 102)) == []
    assert neighbours(files, thumbs(100, 102, 200, 10, 60, 150)) == [(0, 1)]


def test_a_clock_that_stands_still_tells_nothing() -> None:
    taken = [Moment(f"{chr(97 + index)}.jpg", 946684800.0) for index in range(26)]
    taken += [Moment(f"{chr(97 + index)}2x.jpg", 946684800.0) for index in range(26)]
    assert neighbours(taken, thumbs(*range(0, 208, 4))) == []


def test_pictures_are_ordered_by_time_then_by_number() -> None:
    taken = [
        Moment("img10.jpg", None),
        Moment("img9.jpg", None),
        Moment("z.jpg", 5.0),
        Moment("y.jpg", 3.0),
    ]
    assert order(taken) == [3, 2, 1, 0]
