"""How long a fault was felt at the cameras; pure."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from benchmarks.chaos.records import Answer, CameraRecord, RunRecord

Trouble = Callable[[Answer], bool]

STEADY_S: Final = 1.0
_DISTURBING_PICTURES: Final = 4
"""No answer for so many pictures is a disturbance: 0.2 s at 20 frames/s."""
_SILENT_PICTURES: Final = 10
"""No answer for so many, and the steady second has not begun."""
_LEAST_S: Final = 0.2
"""A camera may be faster than the fog; a shorter time is never a disturbance."""
_LEAST_SILENCE_S: Final = 0.5
_LATE_S: Final = 0.15
_LATE_TIMES: Final = 4.0
"""An answer is late that takes so many times what was usual before the fault, and longer than ``_LATE_S``."""


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
    return _recovered_after(run, lambda _camera: _incomplete)


def on_time_after(run: RunRecord) -> float:
    """Return the seconds to answers that are complete and as soon as before; infinite for never."""
    return _recovered_after(run, lambda camera: _incomplete_or_late(camera, run.struck_at))


def _incomplete(answer: Answer) -> bool:
    return bool(answer.missing)


def _incomplete_or_late(camera: CameraRecord, struck_at: float) -> Trouble:
    usual = [answer.latency_s for answer in camera.answers if answer.at < struck_at]
    limit_s = max(_LATE_S, _LATE_TIMES * median(usual)) if usual else math.inf
    return lambda answer: bool(answer.missing) or answer.latency_s > limit_s


def _recovered_after(run: RunRecord, trouble_at: Callable[[CameraRecord], Trouble]) -> float:
    since = run.broken_at
    cameras = [camera for camera in run.cameras if _lived(camera, since)]
    return max((_recovery(c, since, trouble_at(c)) for c in cameras), default=math.inf)


def last_incomplete(run: RunRecord) -> float:
    """Return the seconds from the fault to the last incomplete answer; 0 if there was none."""
    late = [a.at for c in run.cameras for a in c.answers if a.missing and a.at >= run.broken_at]
    return max(late, default=run.broken_at) - run.broken_at


def _lived(camera: CameraRecord, since: float) -> bool:
    return camera.summary is not None or any(answer.at >= since for answer in camera.answers)


def _recovery(camera: CameraRecord, since: float, trouble: Trouble) -> float:
    answers = sorted(camera.answers, key=lambda answer: answer.at)
    disturbing_s = max(_LEAST_S, _DISTURBING_PICTURES / camera.fps)
    disturbed = _disturbance(answers, since, disturbing_s, trouble)
    if disturbed is None:
        return 0.0 if camera.summary is None or _all_settled(camera) else math.inf
    silence_s = max(_LEAST_SILENCE_S, _SILENT_PICTURES / camera.fps)
    later = [answer for answer in answers if answer.at >= max(since, disturbed)]
    for index, answer in enumerate(later):
        if not trouble(answer) and _steady(later[index:], silence_s, trouble):
            return answer.at - since
    return math.inf


def _disturbance(
    answers: Sequence[Answer], since: float, silence_s: float, trouble: Trouble
) -> float | None:
    """Return when the first trouble came or the first silence began, after the fault."""
    previous = since
    for answer in answers:
        if answer.at < since:
            continue
        if trouble(answer):
            return answer.at
        if answer.at - previous > silence_s:
            return previous
        previous = answer.at
    return None


def _steady(answers: Sequence[Answer], silence_s: float, trouble: Trouble) -> bool:
    """Return whether these answers begin with a second without trouble."""
    begin = answers[0].at
    for earlier, later in pairwise(answers):
        if later.at - earlier.at > silence_s:
            return earlier.at - begin >= STEADY_S
        if trouble(later):
            return later.at - begin > STEADY_S
        if later.at - begin >= STEADY_S:
            return True
    return False


def _all_settled(camera: CameraRecord) -> bool:
    """Return whether every frame was answered or, live, given up."""
    answered = len({answer.frame_id for answer in camera.answers})
    return camera.said("sent") <= answered + camera.said("lost")
