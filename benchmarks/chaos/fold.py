"""From the records of a fault's runs to its row; pure.

- ``sent`` is what the cameras say they sent, ``answered`` the distinct frames in their logs, counted
  here. A camera that was killed cannot say what it sent, so it counts in neither.
- ``duplicates`` are lines of a log whose frame has a line already: an answer given out twice.
- ``gap``: the longest time without an answer at one camera from the fault to the end of its stream.
- ``complete``: from the fault to the first complete answer after the disturbance, after which all
  answers are complete, with no silence, for a second; 0 when nothing was disturbed, null for never.
- ``on_time``: the same where an answer that takes much longer than before the fault is trouble too.
- ``latency`` and ``answers_per_s``: of all answers from the fault on; what is slow shows there.
- ``last_incomplete``: from the fault to the last answer without a branch, whatever was in between.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.chaos.records import Answer, CameraRecord, RunRecord
from benchmarks.chaos.recovery import complete_after, last_incomplete, longest_gap, on_time_after


def empty_row(fault: str) -> dict[str, Any]:
    """Return the row of a fault of which no run was played."""
    counts = dict.fromkeys(("runs", "sent", "answered", "duplicates", "incomplete"), 0)
    times = dict.fromkeys(("gap_p50_s", "gap_max_s", "complete_p50_s", "complete_max_s"))
    return {"fault": fault, **counts, **times, "status_true": None}


def row_of(fault: str, runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Return the row of a fault: the fields of the contract, and what else tells the story."""
    cameras = [camera for run in runs for camera in run.cameras]
    alive = [camera for camera in cameras if camera.summary is not None]
    gaps = [longest_gap(run) for run in runs]
    complete = [complete_after(run) for run in runs]
    on_time = [on_time_after(run) for run in runs]
    endings = [ending for run in runs for ending in run.endings]
    return {
        "fault": fault,
        "runs": len(runs),
        "sent": sum(camera.said("sent") for camera in alive),
        "answered": sum(len({a.frame_id for a in camera.answers}) for camera in alive),
        "duplicates": sum(duplicates(camera) for camera in cameras),
        "incomplete": sum(bool(a.missing) for camera in cameras for a in camera.answers),
        "gap_p50_s": _seconds(median(gaps)),
        "gap_max_s": _seconds(max(gaps)),
        "complete_p50_s": _seconds(median(complete)),
        "complete_max_s": _seconds(max(complete)),
        "last_incomplete_p50_s": _seconds(median(map(last_incomplete, runs))),
        "on_time_p50_s": _seconds(median(on_time)),
        "on_time_max_s": _seconds(max(on_time)),
        **_latency(runs),
        "status_true": not any(run.lies for run in runs),
        "status_lies": dict(Counter(lie for run in runs for lie in run.lies)),
        "mixed_epochs": sum(camera.said("mixed_epochs") for camera in alive)
        + sum(mixed(a, run.placements) for run in runs for c in run.cameras for a in c.answers),
        "resent": sum(camera.said("resent") for camera in alive),
        "gave_up": sum(camera.said("gave_up") for camera in alive),
        "cameras_killed": len(cameras) - len(alive),
        "exit_codes": dict(sorted(Counter(f"{e.kind} {e.code}" for e in endings).items())),
        "ended_by_itself": dict(
            Counter(f"{e.kind} {e.code}: {e.words}" for e in endings if not e.expected)
        ),
        "refusals": dict(Counter(refusal for run in runs for refusal in run.refusals)),
        "tracebacks": dict(Counter(e.kind for e in endings if e.traceback)),
        **_notes(runs),
    }


def duplicates(camera: CameraRecord) -> int:
    """Return how many answers were to a frame that had one."""
    return len(camera.answers) - len({answer.frame_id for answer in camera.answers})


def mixed(answer: Answer, placements: Mapping[int, Mapping[str, str]]) -> bool:
    """Return whether a branch ran on a node that the answer's epoch does not name for it.

    The fusion may have a standby, so its node is not judged; nor is an epoch that nobody heard of.
    """
    placement = placements.get(answer.epoch)
    return placement is not None and any(
        placement.get(partition) != node for partition, node in answer.hops if partition != "fusion"
    )


def _notes(runs: Sequence[RunRecord]) -> dict[str, float]:
    """Return the median of every figure that only this fault has."""
    names = {name for run in runs for name in run.notes}
    return {name: median(r.notes[name] for r in runs if name in r.notes) for name in sorted(names)}


def _latency(runs: Sequence[RunRecord]) -> dict[str, float | None]:
    """Return how long answers took from the fault on, and how many came a second, all cameras together."""
    late = [[a for c in run.cameras for a in c.answers if a.at >= run.broken_at] for run in runs]
    ages = sorted(answer.latency_s for answers in late for answer in answers)
    spans = [
        (max(a.at for a in answers) - run.broken_at, len(answers))
        for run, answers in zip(runs, late, strict=True)
        if answers
    ]
    return {
        "latency_p50_s": _seconds(ages[len(ages) // 2]) if ages else None,
        "latency_p95_s": _seconds(ages[int(len(ages) * 0.95)]) if ages else None,
        "answers_per_s": _seconds(median(n / span for span, n in spans if span > 0))
        if spans
        else None,
    }


def _seconds(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
