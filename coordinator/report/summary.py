"""What was learned, in some lines of a terminal."""

from coordinator.report.assessment import Assessment
from coordinator.report.learned import Learned
from coordinator.report.marks import interval_text, percent


def summary(learned: Learned) -> tuple[str, ...]:
    """Return the accuracy with its interval and what qualifies it, a line each."""
    found = Assessment(learned.outcome)
    whole, unknown, known = found.whole, found.unknown, found.known
    right = percent(whole.value, whole.count)
    lines = [f"{right} of {whole.count} held-out pictures right (interval {interval_text(whole)})"]
    if learned.outcome.missing:
        shares = (
            f"{percent(share, whole.count)} with {count}"
            for count, share in enumerate(learned.outcome.missing, 1)
        )
        lines.append(f"branches missing: {', '.join(shares)}")
    if learned.outcome.threshold:
        rest = "" if known is None else f", {percent(known.value, known.count)} of the others right"
        lines.append(
            f"unknown below a confidence of {learned.outcome.threshold:.0%}: "
            f"{percent(unknown.value, unknown.count)} of them{rest}"
        )
    return (*lines, *found.doubts)
