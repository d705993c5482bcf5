"""Whether another layout is worth the change; pure."""

from typing import Final

from coordinator.fog.layout import Layout

WORTH_IT: Final = 0.8
"""A deployment is placed anew for a time below this share of the present one."""


def worth_it(present: Layout, other: Layout, frames_per_s: float | None) -> bool:
    """Return whether ``other`` is so much better; both predicted by the same knowledge.

    What keeps up with the rate is better than what does not. If both do, the time that 95 % of the
    frames keep to counts; if neither does, the frames per second; without a rate the response time.
    """
    if frames_per_s is None:
        return other.response_s < WORTH_IT * present.response_s
    if not other.keeps_up(frames_per_s):
        served, more = present.frames_per_s, other.frames_per_s
        if present.keeps_up(frames_per_s) or served is None:
            return False
        return more is None or served < WORTH_IT * more
    if not present.keeps_up(frames_per_s):
        return True
    if present.p95_s is None or other.p95_s is None:
        return other.response_s < WORTH_IT * present.response_s
    return other.p95_s < WORTH_IT * present.p95_s
