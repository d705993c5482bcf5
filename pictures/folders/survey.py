"""What is known of a data set in folders once all its pictures were read."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pictures.folders.layout import Entry
from pictures.header import Header
from pictures.listing import Skipped

Why = Literal["same file", "nearly the same", "neighbours"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures that belong together, by their places in the survey, and why."""

    first: int
    second: int
    why: Why


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """N pictures that were read, class by class in the order of names, and how they are divided.

    pairs: enough of them to connect all that belong together. scenes: int64 (N,), equal for pictures
    that are connected. groups: int64 (N,), the same, but chains that hold too much of a class are
    divided. held: bool (N,), whether a picture is to test on. given_test: whether a folder says so.
    usual: how much two pictures of each class usually differ, in grey levels.
    warnings: of how the folders lie.
    """

    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    headers: tuple[Header, ...]
    pairs: tuple[Pair, ...]
    scenes: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    held: npt.NDArray[np.bool_]
    given_test: bool
    usual: tuple[float, ...]
    skipped: tuple[Skipped, ...]
    passed_over: int
    warnings: tuple[str, ...] = ()
