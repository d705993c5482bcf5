"""The part of the report about right and wrong answers."""

from collections.abc import Iterator
from typing import Final

from coordinator.report.assessment import Assessment
from coordinator.report.document import picture, table, text
from coordinator.report.interval import Share
from coordinator.report.learned import Learned
from coordinator.report.marks import bar, interval_text, percent

_MOST_WRONG: Final = 48
_WIDEST_MATRIX: Final = 20
_MOST_CONFUSED: Final = 15


def classes_section(found: Assessment) -> Iterator[str]:
    """Yield right answers by class."""
    yield "<h2>By class</h2>"
    head = (("class", False), ("right", True), ("95 % interval", False))
    yield table(head, [_class_row(name, share) for name, share in found.classes.items()])


def _class_row(name: str, share: Share | None) -> tuple[str, ...]:
    if share is None:
        return text(name), "", '<span class="soft">no picture is held out</span>'
    right = percent(share.value, share.count)
    verdict = interval_text(share) + ("" if share.tells else ", too few to tell")
    return (
        text(name),
        f'{right}<br><span class="soft">{share.part} of {share.count}</span>',
        f'{bar(share)}<span class="soft">{verdict}</span>',
    )


def confusion_section(found: Assessment) -> Iterator[str]:
    """Yield what was taken for what: a matrix where it can be read, and the most frequent mistakes."""
    names = found.outcome.classes
    yield "<h2>What was taken for what</h2>"
    if len(names) <= _WIDEST_MATRIX:
        yield '<p class="soft">Rows: what is in the picture. Columns: what the network answered.</p>'
        yield _matrix(found)
    if not found.confusions:
        yield "<p>Nothing was taken for anything else.</p>"
    elif len(names) > 2:
        shown = found.confusions[:_MOST_CONFUSED]
        items = (
            f"<li>{text(c.truth)} taken for {text(c.answer)}: {c.count} of {c.of}</li>"
            for c in shown
        )
        yield f"<ul>{''.join(items)}</ul>"
        if len(found.confusions) > len(shown):
            yield f'<p class="soft">And {len(found.confusions) - len(shown)} other pairs, less often.</p>'


def _matrix(found: Assessment) -> str:
    names = [text(name) for name in found.outcome.classes]
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = []
    for row, (name, counts) in enumerate(zip(names, found.outcome.confusion, strict=True)):
        cells = "".join(
            f'<td class="{"hit" if row == column else "miss"}" '
            f'style="--share:{count / max(1, counts.sum()):.3f}">{count}</td>'
            if count
            else '<td class="soft">0</td>'
            for column, count in enumerate(counts)
        )
        rows.append(f"<tr><th>{name}</th>{cells}</tr>")
    return f'<div class="scroll"><table class="matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'


def wrong_section(learned: Learned) -> Iterator[str]:
    """Yield the pictures that were answered wrong, the surest first, as the network saw them."""
    outcome, names = learned.outcome, learned.outcome.classes
    worst = outcome.worst()
    yield f"<h2>Wrong answers ({len(worst)} of {len(outcome)})</h2>"
    if not len(worst):
        yield "<p>None of the held-out pictures was answered wrong.</p>"
        return
    yield (
        '<p class="soft">As the network sees them, the surest first. Look for a wrong folder, a thing that '
        "cannot be seen, or light that no training picture has.</p>"
    )
    figures = []
    for index in worst[:_MOST_WRONG]:
        truth, answer = names[outcome.labels[index]], names[outcome.answers[index]]
        confidence = f"{outcome.confidences[index]:.0%}"
        said = f"{text(answer)} {confidence}"
        if not outcome.known[index]:
            said = f"unknown ({said})"
        where = f"<br><code>{text(outcome.files[index])}</code>" if outcome.files else ""
        figures.append(
            f"<figure>{picture(learned.dataset.test.pixels[index], f'{truth}, answered {answer}')}"
            f"<figcaption><b>{text(truth)}</b>, answered {said}{where}</figcaption></figure>"
        )
    yield f'<div class="pictures">{"".join(figures)}</div>'
    if len(worst) > _MOST_WRONG:
        yield f'<p class="soft">And {len(worst) - _MOST_WRONG} more.</p>'


def missing_section(learned: Learned, found: Assessment) -> Iterator[str]:
    """Yield what is left of the accuracy while branches are missing."""
    if not learned.outcome.missing:
        return
    yield "<h2>When a device is missing</h2>"
    branches = learned.genome.branch_count
    rows = [("none", percent(found.whole.value, found.whole.count))] + [
        (f"{count} of {branches}", percent(share, found.whole.count))
        for count, share in enumerate(learned.outcome.missing, 1)
    ]
    yield table((("branches missing", False), ("right", True)), rows)
    yield (
        '<p class="soft">The same held-out pictures, the mean over every choice of the branches that are '
        "left. An answer with a missing branch says so.</p>"
    )
