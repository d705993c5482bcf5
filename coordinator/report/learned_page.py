"""``report.html`` of a trained network: how good it is, where it fails, what it costs, what to do next."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from coordinator.files import FileError, write_text
from coordinator.progress import duration
from coordinator.report.assessment import Assessment
from coordinator.report.certainty import certainty_section
from coordinator.report.document import document, facts, picture, text
from coordinator.report.held_out import (
    classes_section,
    confusion_section,
    missing_section,
    wrong_section,
)
from coordinator.report.interval import TELLING_WIDTH
from coordinator.report.learned import Learned
from coordinator.report.marks import bar, interval_text, percent
from coordinator.report.network_section import network_section
from pictures.labelled import Pictures

_SHOWN_OF_A_CLASS: Final = 8
_CLASSES_SHOWN: Final = 30
_SKIPPED_SHOWN: Final = 100


def write_learned(learned: Learned, path: Path) -> None:
    """Write the report.

    Raises:
        FileError: it cannot be written.
    """
    try:
        write_text(path, learned_page(learned))
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None


def learned_page(learned: Learned) -> str:
    """Return the report; every sentence in it follows from what was measured."""
    found = Assessment(learned.outcome)
    body = [
        *_top(learned, found),
        *classes_section(found),
        *confusion_section(found),
        *wrong_section(learned),
        *certainty_section(learned, found),
        *missing_section(learned, found),
        *_seen_section(learned),
        *_data_section(learned),
        *network_section(learned),
        *_next_section(learned),
    ]
    return document(f"{learned.bundle.name}: what was learned", body)


def _top(learned: Learned, found: Assessment) -> Iterator[str]:
    whole, outcome = found.whole, learned.outcome
    yield f"<h1>{text(learned.bundle.name)}: {percent(whole.value, whole.count)} right</h1>"
    yield (
        f'<p class="soft">{whole.part} of {whole.count} held-out pictures of {len(outcome.classes)} classes, '
        "which neither the search nor the training has seen.</p>"
    )
    for doubt in found.doubts:
        yield f'<p class="doubt">{text(doubt)}</p>'
    unknown = found.unknown
    after = (
        ""
        if found.known is None
        else f"; {percent(found.known.value, found.known.count)} of the others right"
    )
    lost = learned.outcome.missing[0] if learned.outcome.missing else None
    tiles = [
        (
            percent(whole.value, whole.count),
            f"right; 95 % interval {interval_text(whole)}{bar(whole)}",
        ),
        (percent(unknown.value, unknown.count), f"called unknown{after}"),
    ]
    if lost is not None:
        tiles.append((percent(lost, whole.count), "right with one branch missing"))
    cards = "".join(
        f'<div class="tile"><b>{value}</b><span>{words}</span></div>' for value, words in tiles
    )
    yield f'<div class="tiles">{cards}</div>'
    yield (
        '<p class="soft">The interval (Wilson) holds the share of right answers to pictures like these in 95 of '
        f"100 cases. Where it is wider than {100 * TELLING_WIDTH:.0f} points this page says “too few to tell”. "
        "It counts every picture for itself: pictures of one moment say less than their number.</p>"
    )


def _seen_section(learned: Learned) -> Iterator[str]:
    """Yield training pictures by class, exactly as the network sees them."""
    train, names = learned.dataset.train, learned.dataset.classes
    yield "<h2>What the network sees</h2>"
    channels, height, width = train.shape
    kind = "grey" if channels == 1 else "colour"
    yield f'<p class="soft">Training pictures, {width}x{height} {kind}.</p>'
    for label, name in enumerate(names[:_CLASSES_SHOWN]):
        of_class = np.flatnonzero(train.labels == label)[:_SHOWN_OF_A_CLASS]
        if len(of_class):
            shown = "".join(
                picture(train.pixels[index], f"a picture of {name}") for index in of_class
            )
            yield f'<p><b>{text(name)}</b></p><div class="sheet">{shown}</div>'
    if len(names) > _CLASSES_SHOWN:
        yield f'<p class="soft">And {len(names) - _CLASSES_SHOWN} more classes.</p>'


def _data_section(learned: Learned) -> Iterator[str]:
    dataset = learned.dataset
    trained = len(dataset.train) - learned.validation
    rows = [
        ("data set", text(dataset.name)),
        ("trained on", f"{trained:,} pictures"),
        (
            "validated on",
            f"{learned.validation:,} pictures: they chose the epoch and the threshold",
        ),
        ("held out", f"{_held_out(dataset.test)}, looked at once, for this page"),
        ("epoch kept", f"{learned.epoch} of {learned.epochs}"),
    ]
    if learned.networks is not None:
        rows.append(("networks compared", str(learned.networks)))
    if learned.seconds is not None:
        rows.append(("all of it took", duration(learned.seconds)))
    yield "<h2>The pictures, and how they were learned</h2>"
    yield facts(rows)
    if learned.reasons:
        yield f"<ul>{''.join(f'<li>{text(reason)}</li>' for reason in learned.reasons)}</ul>"
    for warning in dataset.warnings:
        yield f'<p class="doubt">{text(warning)}</p>'
    if dataset.skipped:
        yield f"<p>{len(dataset.skipped)} files were skipped:</p>"
        items = "".join(
            f"<li><code>{text(each.file)}</code>: {text(each.reason)}</li>"
            for each in dataset.skipped[:_SKIPPED_SHOWN]
        )
        yield f"<ul>{items}</ul>"
        if len(dataset.skipped) > _SKIPPED_SHOWN:
            yield f'<p class="soft">And {len(dataset.skipped) - _SKIPPED_SHOWN} more.</p>'


def _held_out(test: Pictures) -> str:
    """Say how many pictures there are, and of how many moments where some belong together."""
    moments = len(test if test.groups is None else np.unique(test.groups))
    return f"{len(test):,} pictures" + (f" of {moments:,} moments" if moments < len(test) else "")


def _next_section(learned: Learned) -> Iterator[str]:
    if learned.commands:
        yield "<h2>Next</h2>"
        yield f"<pre>{text(chr(10).join(learned.commands))}</pre>"
