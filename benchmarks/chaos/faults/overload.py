"""What the answers under too much load say: how many a second, and how old; pure."""

from collections.abc import Sequence
from statistics import median

from benchmarks.chaos.parts import StageError
from benchmarks.chaos.records import Answer

_FIRST_S = 1.5
"""The first answers find empty queues."""


def saturation_per_s(answers: Sequence[Answer]) -> float:
    """Return the answers a second in the middle of a stream that always has frames in flight.

    Raises:
        StageError: there are too few of them.
    """
    times = sorted(answer.at for answer in answers)
    middle = times[len(times) // 5 : len(times) * 4 // 5 + 1]
    if len(middle) < 2 or middle[-1] <= middle[0]:
        raise StageError("too few answers to tell how many a second can be served")
    return (len(middle) - 1) / (middle[-1] - middle[0])


def age_and_goodput(answers: Sequence[Answer], capacity_per_s: float) -> dict[str, float]:
    """Return goodput (complete answers a second), as a share of the capacity too, and ages in s."""
    ordered = sorted(answers, key=lambda answer: answer.at)
    late = [a for a in ordered if a.at >= ordered[0].at + _FIRST_S]
    if len(late) < 4:
        return {"goodput_per_s": 0.0, "goodput_share": 0.0}
    complete = sum(not answer.missing for answer in late)
    goodput = complete / (late[-1].at - late[0].at)
    half = len(late) // 2
    return {
        "goodput_per_s": goodput,
        "goodput_share": goodput / capacity_per_s,
        "incomplete_share": 1.0 - complete / len(late),
        "age_early_s": median(answer.latency_s for answer in late[:half]),
        "age_late_s": median(answer.latency_s for answer in late[half:]),
    }
