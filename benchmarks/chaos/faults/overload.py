"""What the answers under too much load say: how many a second, and how old; pure."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.chaos.records import Answer

_FIRST_S: Final = 1.0
"""The first answers find empty queues."""
_FEWEST: Final = 4


def goodput_per_s(answers: Sequence[Answer]) -> float:
    """Return the complete answers a second, once the queues have filled; 0 if there are hardly any."""
    late = _late(answers)
    complete = sum(not answer.missing for answer in late)
    return (complete - 1) / (late[-1].at - late[0].at) if complete >= _FEWEST else 0.0


def age_and_goodput(answers: Sequence[Answer], capacity_per_s: float) -> dict[str, float]:
    """Return goodput, as a share of the capacity too, what missed a branch, and ages in seconds."""
    goodput, late = goodput_per_s(answers), _late(answers)
    found = {"goodput_per_s": goodput, "goodput_share": goodput / capacity_per_s}
    if len(late) < _FEWEST:
        return found
    half = len(late) // 2
    return found | {
        "incomplete_share": sum(bool(answer.missing) for answer in late) / len(late),
        "age_early_s": median(answer.latency_s for answer in late[:half]),
        "age_late_s": median(answer.latency_s for answer in late[half:]),
    }


def _late(answers: Sequence[Answer]) -> list[Answer]:
    ordered = sorted(answers, key=lambda answer: answer.at)
    return [answer for answer in ordered if answer.at >= ordered[0].at + _FIRST_S]
