"""The page of `inspect`: one file, readable on a phone and in the dark."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np

from coordinator.inspect.findings import Findings, Pair, Shown
from coordinator.report.document import document, picture, table, text
from pictures.fit import GREY
from pictures.folders.survey import Why

_SHEET_EACH: Final = 24
_SHEET_LEAST: Final = 4
_SHEET_MOST: Final = 480  # pictures on the page
_SIZES: Final = 8
_PAIRS: Final = 12
_FILES: Final = 200
_FEW_FILES: Final = 30

_STYLE: Final = """<style>
.bars { display: grid; grid-template-columns: minmax(4rem, max-content) 1fr max-content; gap: 0.35rem 0.8rem; align-items: center; max-width: 46rem; }
.bars b { font-weight: 600; overflow-wrap: anywhere; } .bars span.n { font-variant-numeric: tabular-nums; color: var(--soft); font-size: 0.92rem; }
.bar { display: flex; height: 1.05rem; border-radius: 4px; overflow: hidden; background: var(--card); }
.bar i { background: var(--blue); } .bar i.test { background: var(--test); }
:root { --test: #e69f00; } .key i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 2px; margin: 0 0.3rem 0 0.9rem; vertical-align: -0.05rem; background: var(--blue); }
.key i:first-child { margin-left: 0; } .key i.test { background: var(--test); }
h3 { font-size: 1rem; margin: 1.3rem 0 0.5rem; overflow-wrap: anywhere; }
.sheet img.test { outline: 3px solid var(--test); outline-offset: -3px; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 46%), 1fr)); gap: 0.9rem 1rem; }
.pair { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.5rem; }
.pair div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; } .pair img { width: 100%; image-rendering: pixelated; border-radius: 3px; }
.pair p { font-size: 0.83rem; line-height: 1.35; margin: 0.35rem 0 0; overflow-wrap: anywhere; } .pair.wrong { border-color: var(--bad); }
.pair strong { color: var(--bad); font-weight: 600; }
.sheet.wide { grid-template-columns: repeat(auto-fill, minmax(var(--width), 1fr)); }
summary { cursor: pointer; } details { margin: 0.5rem 0; }
.good { border-left-color: var(--good); }
</style>"""

_WHY: Final[dict[Why, tuple[str, str]]] = {
    "same file": ("Copies", "The same file twice."),
    "nearly the same": (
        "Nearly the same",
        "No part of them differs by more than a few grey levels: saved again, scaled, or taken of a still scene.",
    ),
    "neighbours": (
        "Bursts and neighbours",
        "Taken within seconds, or one after the other of one scene, by the clock or the number in their names.",
    ),
}


def page(found: Findings) -> str:
    """Return the page as HTML; equal findings give equal pages."""
    dataset = found.dataset
    body = [_STYLE, f"<h1>{text(dataset.name)}</h1>", *_summary(found), *_warnings(found)]
    body += ["<h2>Classes</h2>", *_classes(found)]
    body += ["<h2>What the network sees</h2>", *_sheets(found)]
    body += ["<h2>Training and test</h2>", *_split(found)]
    body += ["<h2>Skipped files</h2>", *_skipped(found)]
    body += ["<h2>Sizes</h2>", *_sizes(found)]
    if found.pairs:
        body += ["<h2>Pictures that belong together</h2>", *_pairs(found)]
    return document(f"{dataset.name}: what is in it", body)


def _summary(found: Findings) -> Iterator[str]:
    dataset = found.dataset
    channels, height, width = dataset.shape
    count = len(dataset.train) + len(dataset.test)
    colour = "grey" if channels == GREY else "colour"
    tiles = [
        (f"{count:,}", f"pictures of {len(dataset.classes)} classes"),
        (f"{len(dataset.test):,}", "of them to test on"),
        (f"{width} &times; {height}", f"{colour}: what the network sees"),
        (f"{len(dataset.skipped):,}", f"files skipped{_passed_over(dataset.passed_over)}"),
    ]
    cells = "".join(
        f'<div class="tile"><b>{big}</b><span>{words}</span></div>' for big, words in tiles
    )
    yield f'<div class="tiles">{cells}</div>'


def _passed_over(count: int) -> str:
    return f", {count:,} hidden ones passed over" if count else ""


def _warnings(found: Findings) -> Iterator[str]:
    for warning in found.dataset.warnings:
        yield f'<p class="doubt">{text(warning)}</p>'
    if not found.dataset.warnings:
        yield '<p class="doubt good">Nothing to warn of.</p>'


def _classes(found: Findings) -> Iterator[str]:
    counts = found.counts()
    largest = max(pictures for pictures, _ in counts.values())
    yield '<p class="key soft"><i></i>to train on<i class="test"></i>to test on</p><div class="bars">'
    for name, (pictures, test) in counts.items():
        yield (
            f'<b>{text(name)}</b><div class="bar"><i style="width:{100 * (pictures - test) / largest:.1f}%"></i>'
            f'<i class="test" style="width:{100 * test / largest:.1f}%"></i></div>'
            f'<span class="n">{pictures:,} ({test:,})</span>'
        )
    yield "</div>"


def _sheets(found: Findings) -> Iterator[str]:
    dataset = found.dataset
    shown = dataset.classes[: _SHEET_MOST // _SHEET_LEAST]
    each = min(_SHEET_EACH, max(_SHEET_LEAST, _SHEET_MOST // len(shown)))
    yield f'<p class="soft">{_framed(found)} Those with a border are to test on.</p>'
    width = min(12, max(3.2, dataset.shape[2] / 16))
    for label, name in enumerate(shown):
        sheet = found.sheet(label, each)
        yield f"<h3>{text(name)}</h3>"
        cells = "".join(_cell(picture_) for picture_ in sheet)
        yield f'<div class="sheet wide" style="--width:{width:.1f}rem">{cells}</div>'
    if len(shown) < len(dataset.classes):
        yield f'<p class="soft">and {len(dataset.classes) - len(shown)} more classes</p>'


def _cell(shown: Shown) -> str:
    image = picture(shown.pixels, shown.file)
    extra = f'title="{text(shown.file)}"' + (' class="test"' if shown.testing else "")
    return image.replace("<img ", f"<img {extra} ", 1)


def _framed(found: Findings) -> str:
    framing, (_, height, width) = found.dataset.framing, found.dataset.shape
    zone = "The whole picture"
    if framing.crop is not None:
        left, top, across, down = framing.crop
        zone = f"The zone from {left:.0%}, {top:.0%}, {across:.0%} wide and {down:.0%} high"
    how = {
        "stretch": "scaled",
        "pad": "scaled with its aspect kept and grey bars",
        "cover": "scaled with its aspect kept and the edges cut off",
    }[framing.fit]
    return f"{zone}, {how} to {width} &times; {height} pixels."


def _split(found: Findings) -> Iterator[str]:
    survey = found.survey
    if survey is None:
        yield "<p>This data set comes with a test of its own.</p>"
        return
    if survey.given_test:
        yield "<p>The folder says which pictures are to test on; they are taken as they are.</p>"
    else:
        yield (
            "<p>About a fifth of each class is held out, drawn with a fixed seed: the same pictures each "
            "time. Pictures that belong together stand on one side, unless they are more than that.</p>"
        )
    sizes = np.unique(survey.groups, return_counts=True)[1]
    together = int(sizes[sizes > 1].sum())
    scenes = np.unique(survey.scenes, return_counts=True)[1]
    words = f"{len(sizes):,} groups, of which {int((sizes > 1).sum()):,} hold more than one picture ({together:,} in all)"
    if scenes.max() > sizes.max():
        words += (
            f". The longest chain of neighbours has {int(scenes.max()):,} pictures; it is divided in the "
            f"order in which they were taken, into pieces of {int(sizes.max()):,} at most"
        )
    yield f'<p class="soft">{words}.</p>'


def _pairs(found: Findings) -> Iterator[str]:
    for why, (title, words) in _WHY.items():
        of_kind = [pair for pair in found.pairs if pair.why == why]
        if not of_kind:
            continue
        count = found.paired[why]
        shown = of_kind[:_PAIRS]
        which = f"{count:,} pair{'s' if count > 1 else ''}" + (
            f", {len(shown)} of them here" if count > len(shown) else ""
        )
        yield f'<h3>{title}: {which}</h3><p class="soft">{words}</p><div class="pairs">'
        yield from (_pair(pair) for pair in shown)
        yield "</div>"


def _pair(pair: Pair) -> str:
    wrong = []
    if pair.first.label != pair.second.label and pair.why != "neighbours":
        wrong.append("in two classes")
    if pair.first.testing != pair.second.testing:
        wrong.append("to train and to test on")
    told = f"<br><strong>{' and '.join(wrong)}</strong>" if wrong else ""
    names = f"{text(pair.first.file)}<br>{text(pair.second.file)}"
    return (
        f'<div class="pair{" wrong" if wrong else ""}"><div>{picture(pair.first.pixels, pair.first.file)}'
        f"{picture(pair.second.pixels, pair.second.file)}</div><p>{names}{told}</p></div>"
    )


def _sizes(found: Findings) -> Iterator[str]:
    sizes = found.sizes().most_common()
    rows = [
        [f"{width} &times; {height}", f"{count:,}"] for (width, height), count in sizes[:_SIZES]
    ]
    if len(sizes) > _SIZES:
        rows.append(
            [f"{len(sizes) - _SIZES} other sizes", f"{sum(count for _, count in sizes[_SIZES:]):,}"]
        )
    yield table([("pixels of the file", False), ("pictures", True)], rows)
    if found.survey is not None:
        grey = sum(header.grey for header in found.survey.headers)
        if grey:
            yield f'<p class="soft">{grey:,} of the pictures are grey.</p>'


def _skipped(found: Findings) -> Iterator[str]:
    skipped = found.dataset.skipped
    if not skipped:
        yield "<p>None.</p>"
        return
    if len(skipped) > _FEW_FILES:
        reasons = Counter(each.reason for each in skipped)
        counted = [[text(reason), f"{count:,}"] for reason, count in reasons.most_common()]
        yield table([("reason", False), ("files", True)], counted)
    rows = [[f"<code>{text(each.file)}</code>", text(each.reason)] for each in skipped[:_FILES]]
    names = table([("file", False), ("reason", False)], rows)
    if len(skipped) <= _FEW_FILES:
        yield names
        return
    more = f"<p>and {len(skipped) - _FILES:,} more</p>" if len(skipped) > _FILES else ""
    yield f"<details><summary>Their names</summary>{names}{more}</details>"
