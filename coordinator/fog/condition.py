"""What people are told of a deployment's condition: rounded, and only when it changed noticeably; pure."""

from collections.abc import Mapping
from typing import Final

from broker.messages import Measured, Status

EVERY_S: Final = 1.0
NOTICEABLE: Final = 0.1
"""Figures that changed by a smaller share are the same to people."""
NOTICEABLE_SHARE: Final = 0.01
INCOMPLETE: Final = 0.05
LATER: Final = 2.0
"""Answers that take this times as long as predicted are worth a word, ..."""
LATER_AGAIN: Final = 1.5
"""... until they take less than this."""
LEAST_LATER_S: Final = 0.02
LATE_WORD: Final = "answers come much later than predicted"


def degraded(
    status: Status, measured: Measured | None, gone: Mapping[str, str], before: str
) -> str:
    """Return what is wrong with what serves, empty if nothing is.

    ``gone`` has the nodes of the serving epoch that are not to be used, and why; ``before`` is what
    was said last, so that figures at a limit do not change it every second.
    """
    words = [f"{node} {why}" for node, why in sorted(gone.items())]
    if measured is not None:
        limit = INCOMPLETE / 2 if "lack a branch" in before else INCOMPLETE
        if measured.incomplete > limit:
            words.append("some answers lack a branch")
        if status.predicted is not None:
            expected = max(status.predicted.response_s, status.predicted.p95_s or 0.0)
            later = LATER_AGAIN if LATE_WORD in before else LATER
            if expected and measured.response_s > later * expected + LEAST_LATER_S:
                words.append(LATE_WORD)
    return "; ".join(words)


def rounded(measured: Measured | None) -> Measured | None:
    """Return figures as people read them: two digits, shares in whole per mille."""
    if measured is None:
        return None
    return Measured(
        response_s=float(f"{measured.response_s:.2g}"),
        frames_per_s=float(f"{measured.frames_per_s:.2g}"),
        incomplete=round(measured.incomplete, 3),
    )


def noticeable(before: Status, now: Status) -> bool:
    """Return whether people should be told again."""
    if before.model_copy(update={"measured": None}) != now.model_copy(update={"measured": None}):
        return True
    was, is_ = before.measured, now.measured
    if was is None or is_ is None:
        return was is not is_
    return (
        _differ(was.response_s, is_.response_s)
        or _differ(was.frames_per_s, is_.frames_per_s)
        or abs(was.incomplete - is_.incomplete) > NOTICEABLE_SHARE
        or (was.incomplete == 0) != (is_.incomplete == 0)
    )


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > NOTICEABLE * max(one, other)
