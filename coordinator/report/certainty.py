"""The part of the report about confidence, and about answers that are called unknown."""

from collections.abc import Iterator

from coordinator.report.assessment import Assessment
from coordinator.report.document import facts
from coordinator.report.learned import Learned
from coordinator.report.marks import interval_text, percent, reliability


def certainty_section(learned: Learned, found: Assessment) -> Iterator[str]:
    """Yield the threshold, what it does to the held-out pictures, and whether confidence is true."""
    outcome, unknown, known = learned.outcome, found.unknown, found.known
    caught, wrong = found.wrong_called_unknown
    yield "<h2>How sure, and when it says “unknown”</h2>"
    rows = [
        ("unknown below a confidence of", percent(outcome.threshold)),
        (
            "held-out pictures called unknown",
            f"{unknown.part} of {unknown.count}, {percent(unknown.value)}",
        ),
        (
            "right among the others",
            "none is left"
            if known is None
            else f"{known.part} of {known.count}, {percent(known.value, known.count)} ({interval_text(known)})",
        ),
        ("wrong answers called unknown", f"{caught} of {wrong}"),
        ("temperature", f"{outcome.temperature:.2f}"),
    ]
    yield facts(rows)
    yield (
        '<p class="soft">Temperature and threshold were chosen on the '
        f"{learned.validation} validation pictures, not on the held-out ones, and stand in the bundle.</p>"
    )
    yield reliability(found.bins, outcome.threshold, 1 / len(outcome.classes))
    yield (
        '<p class="soft">Each dot is a group of answers of about the same confidence: how sure they are '
        "(across) and how many of them are right (up), with the 95 % interval. On the dashed line confidence "
        "is true; a dot below it is too sure of itself."
        + (
            " The tinted part is called unknown."
            if outcome.threshold > 1 / len(outcome.classes)
            else ""
        )
        + "</p>"
    )
