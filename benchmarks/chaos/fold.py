"""From the records of a fault's runs to its row; pure.

- ``sent`` is what the cameras say they sent, ``answered`` the distinct frames in their logs, counted
  here. A camera that was killed cannot say what it sent, so it counts in neither.
- ``duplicates`` are lines of a log whose frame has a line already: an answer given out twice.
- ``gap``: the longest time without an answer at one camera from the fault to the end of its stream.
- ``complete``: from the fault to the first complete answer after the disturbance, after which all
  answers are complete, with no silence, for a second; 0 when nothing was disturbed, null for never.
- ``last_incomplete``: from the fault to the last answer without a branch, whatever was in between.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final

from benchmarks.chaos.records import Answer, CameraRecord, RunRecord

STEADY_S: Final = 1.0
_DISTURBING_PICTURES: Final = 4
"""No answer for so many pictures is a disturbance: 0.2 s at 20 frames/s."""
_SILENT_PICTURES: Final = 10
"""No answer for so many, and the steady second has not begun."""
_LEAST_S: Final = 0.2
"""A camera may be faster than the fog; a shorter time is never a disturbance."""


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
    endings = [ending for run in runs for ending in run.endings]
    return {
        "fault": fault,
        "runs": len(runs),
        "sent": sum(_said(camera, "sent") for camera in alive),
        "answered": sum(len({a.frame_id for a in camera.answers}) for camera in alive),
        "duplicates": sum(duplicates(camera) for camera in cameras),
        "incomplete": sum(bool(a.missing) for camera in cameras for a in camera.answers),
        "gap_p50_s": _seconds(median(gaps)),
        "gap_max_s": _seconds(max(gaps)),
        "complete_p50_s": _seconds(median(complete)),
        "complete_max_s": _seconds(max(complete)),
        "last_incomplete_p50_s": _seconds(median(map(last_incomplete, runs))),
        "status_true": not any(run.lies for run in runs),
        "status_lies": dict(Counter(lie for run in runs for lie in run.lies)),
        "mixed_epochs": sum(_said(camera, "mixed_epochs") for camera in alive)
        + sum(mixed(a, run.placements) for run in runs for c in run.cameras for a in c.answers),
        "resent": sum(_said(camera, "resent") for camera in alive),
        "gave_up": sum(_said(camera, "gave_up") for camera in alive),
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


def longest_gap(run: RunRecord) -> float:
    """Return the longest time in seconds without an answer at one camera, from the fault on."""
    return max((_longest_gap(camera, run) for camera in run.cameras), default=math.inf)


def _longest_gap(camera: CameraRecord, run: RunRecord) -> float:
    times = sorted(answer.at for answer in camera.answers)
    if camera.summary is None:  # killed: it is not the fog's silence that follows
        end = times[-1:]
    else:
        end = times[-1:] if _all_settled(camera) else [max(run.until, *times, run.struck_at)]
    before = [at for at in times if at < run.struck_at][-1:]
    after = [at for at in times if at >= run.struck_at]
    return max((b - a for a, b in pairwise(before + after + end)), default=0.0)


def complete_after(run: RunRecord) -> float:
    """Return the seconds from the fault to complete answers at every camera; infinite for never."""
    since = run.broken_at
    return max(
        (_complete_after(camera, since) for camera in run.cameras if _lived(camera, since)),
        default=math.inf,
    )


def last_incomplete(run: RunRecord) -> float:
    """Return the seconds from the fault to the last incomplete answer; 0 if there was none."""
    late = [a.at for c in run.cameras for a in c.answers if a.missing and a.at >= run.broken_at]
    return max(late, default=run.broken_at) - run.broken_at


def _lived(camera: CameraRecord, since: float) -> bool:
    return camera.summary is not None or any(answer.at >= since for answer in camera.answers)


def _complete_after(camera: CameraRecord, since: float) -> float:
    answers = sorted(camera.answers, key=lambda answer: answer.at)
    disturbed = _disturbance(answers, since, max(_LEAST_S, _DISTURBING_PICTURES / camera.fps))
    if disturbed is None:
        return 0.0 if camera.summary is None or _all_settled(camera) else math.inf
    silence_s = max(_LEAST_S, _SILENT_PICTURES / camera.fps)
    later = [answer for answer in answers if answer.at >= max(since, disturbed)]
    for index, answer in enumerate(later):
        if not answer.missing and _steady(later[index:], silence_s):
            return answer.at - since
    return math.inf


def _disturbance(answers: Sequence[Answer], since: float, silence_s: float) -> float | None:
    """Return when the first incomplete answer came or the first silence began, after the fault."""
    previous = since
    for answer in answers:
        if answer.at < since:
            continue
        if answer.missing:
            return answer.at
        if answer.at - previous > silence_s:
            return previous
        previous = answer.at
    return None


def _steady(answers: Sequence[Answer], silence_s: float) -> bool:
    """Return whether these answers begin with a second without trouble."""
    begin = answers[0].at
    for earlier, later in pairwise(answers):
        if later.at - earlier.at > silence_s:
            return earlier.at - begin >= STEADY_S
        if later.missing:
            return later.at - begin > STEADY_S
        if later.at - begin >= STEADY_S:
            return True
    return False


def _all_settled(camera: CameraRecord) -> bool:
    """Return whether every frame was answered or, live, given up."""
    answered = len({answer.frame_id for answer in camera.answers})
    return _said(camera, "sent") <= answered + _said(camera, "lost")


def _said(camera: CameraRecord, name: str) -> int:
    return 0 if camera.summary is None else int(camera.summary[name])


def _notes(runs: Sequence[RunRecord]) -> dict[str, float]:
    """Return the median of every figure that only this fault has."""
    names = {name for run in runs for name in run.notes}
    return {name: median(r.notes[name] for r in runs if name in r.notes) for name in sorted(names)}


def _seconds(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
