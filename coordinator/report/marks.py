"""Small drawings of shares: a bar with its interval, and confidence against what was right (SVG)."""

from collections.abc import Sequence
from typing import Final

from coordinator.report.assessment import Bin
from coordinator.report.interval import Share

_WIDTH, _HEIGHT = 150, 14


def percent(share: float, count: int | None = None) -> str:
    """Write a share with the digits that so many pictures can bear."""
    digits = 2 if count is not None and count >= 1000 else 1
    return f"{100 * share:.{digits}f} %"


def interval_text(share: Share) -> str:
    """Write the interval of a share."""
    low, high = share.interval
    digits = 1 if share.count >= 200 else 0
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def bar(share: Share) -> str:
    """Return a bar from 0 to 1 with the interval as a whisker."""
    low, high = (_WIDTH * end for end in share.interval)
    middle = _HEIGHT / 2
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{percent(share.value)}, {interval_text(share)}">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="2" fill="var(--line)" opacity=".6"/>'
        f'<rect width="{_WIDTH * share.value:.1f}" height="{_HEIGHT}" rx="2" fill="var(--blue)" opacity=".75"/>'
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} 3V{_HEIGHT - 3}M{high:.1f} 3V{_HEIGHT - 3}" '
        'stroke="var(--ink)" stroke-width="1.4" fill="none"/></svg>'
    )


_SIDE: Final = 260
_LEFT, _TOP, _BELOW = 40, 8, 34


def reliability(bins: Sequence[Bin], threshold: float, chance: float) -> str:
    """Return a drawing: how sure answers are against how many of them are right.

    chance: confidence of a guess, where the axis begins.
    """

    def x(value: float) -> float:
        return _LEFT + _SIDE * (value - chance) / (1 - chance)

    def y(value: float) -> float:
        return _TOP + _SIDE * (1 - value)

    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            f'<path d="M{_LEFT} {y(tick):.1f}H{_LEFT + _SIDE}" stroke="var(--line)"/>'
            f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.0%}</text>'
        )
        across = chance + tick * (1 - chance)
        parts.append(
            f'<text x="{x(across):.1f}" y="{_TOP + _SIDE + 15}" text-anchor="middle">{across:.0%}</text>'
        )
    parts.append(
        f'<path d="M{x(chance):.1f} {y(chance):.1f}L{x(1):.1f} {y(1):.1f}" stroke="var(--soft)" stroke-dasharray="4 4"/>'
    )
    if threshold > chance:
        parts.append(
            f'<rect x="{_LEFT}" y="{_TOP}" width="{x(threshold) - _LEFT:.1f}" height="{_SIDE}" '
            'fill="var(--bad)" opacity=".12"/>'
            f'<path d="M{x(threshold):.1f} {_TOP}V{_TOP + _SIDE}" stroke="var(--bad)" stroke-width="1.5"/>'
        )
    for each in bins:
        low, high = each.right.interval
        at = x(max(each.confidence, chance))
        parts.append(
            f'<path d="M{at:.1f} {y(low):.1f}V{y(high):.1f}" stroke="var(--blue)" stroke-width="1.5"/>'
            f'<circle cx="{at:.1f}" cy="{y(each.right.value):.1f}" r="4.5" fill="var(--blue)">'
            f"<title>{each.right.part} of {each.right.count} right, confidence {each.confidence:.0%}</title></circle>"
        )
    parts.append(
        f'<text x="{_LEFT + _SIDE / 2}" y="{_TOP + _SIDE + _BELOW - 3}" text-anchor="middle">confidence</text>'
    )
    width, height = _LEFT + _SIDE + 16, _TOP + _SIDE + _BELOW
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="confidence against the share that is right">{"".join(parts)}</svg>'
    )
