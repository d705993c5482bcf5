"""One HTML file that needs nothing else: readable on a phone, on paper and in the dark."""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE: Final = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b2027; --soft: #57606a; --line: #d5dbe3;
  --card: #f4f6f9; --blue: #0072b2; --bad: #b84a00; --good: #00745a; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --ink: #e6eaef; --soft: #9aa6b3;
  --line: #343c46; --card: #1d232a; --blue: #58b2ea; --bad: #f0985a; --good: #3fc79c; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 62rem; margin: 0 auto; padding: 1.2rem 1rem 4rem; }
h1 { font-size: 1.45rem; line-height: 1.25; margin: 0.4rem 0 0.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.12rem; margin: 2.4rem 0 0.6rem; padding-top: 0.9rem; border-top: 1px solid var(--line); }
p { margin: 0.5rem 0; max-width: 46rem; } .soft { color: var(--soft); font-size: 0.92rem; }
code, pre { font: 0.86rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.7rem 0.9rem;
  white-space: pre-wrap; margin: 0.5rem 0; }
table { border-collapse: collapse; font-size: 0.94rem; } .scroll { overflow-x: auto; }
th, td { padding: 0.28rem 0.9rem 0.28rem 0; text-align: left; vertical-align: middle; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.name { overflow-wrap: anywhere; min-width: 5rem; }
table.matrix td, table.matrix th { padding: 0.3rem 0.6rem; } table.matrix td { text-align: center; min-width: 2.7rem; }
td.hit { background: color-mix(in srgb, var(--blue) calc(var(--share) * 45%), transparent); }
td.miss { background: color-mix(in srgb, var(--bad) calc(var(--share) * 75%), transparent); }
img { max-width: 100%; display: block; } svg { display: block; max-width: 100%; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.drawing { background: #fff; border-radius: 6px; padding: 0.4rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.7rem; margin: 1rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.7rem 0.9rem; }
.tile b { display: block; font-size: 1.6rem; line-height: 1.25; } .tile span { color: var(--soft); font-size: 0.9rem; }
.doubt { border-left: 4px solid var(--bad); background: var(--card); padding: 0.5rem 0.8rem; border-radius: 0 6px 6px 0; margin: 0.5rem 0; max-width: 46rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0.8rem; }
.pictures figure { margin: 0; } .pictures img { width: 100%; image-rendering: pixelated; border-radius: 4px; }
figcaption { font-size: 0.85rem; line-height: 1.35; margin-top: 0.25rem; overflow-wrap: anywhere; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.4rem, 1fr)); gap: 4px; }
.sheet img { width: 100%; image-rendering: pixelated; border-radius: 3px; }
td svg { min-width: 4.5rem; }
ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
"""


def document(title: str, body: Iterable[str]) -> str:
    """Return a page; `body` is HTML, the title is text."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def text(value: object) -> str:
    """Return what others made up as text of the page."""
    return html.escape(str(value))


def table(head: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Return a table that scrolls where it is too wide; `head` says which columns are numbers.

    Cells are HTML.
    """
    numbers = [' class="n"' if number else "" for _, number in head]
    top = "".join(f"<th{n}>{name}</th>" for (name, _), n in zip(head, numbers, strict=True))
    lines = "".join(
        "<tr>"
        + "".join(f"<td{n}>{cell}</td>" for cell, n in zip(row, numbers, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table class="{kind}"><tr>{top}</tr>{lines}</table></div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and values; values are HTML."""
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f'<div class="scroll"><table>{cells}</table></div>'


def picture(pixels: npt.NDArray[np.uint8], words: str) -> str:
    """Return a picture, bytes (C, H, W), as part of the page, pixel for pixel."""
    channels, _, _ = pixels.shape
    image = Image.fromarray(
        pixels[0] if channels == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    )
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return _embedded(data, words)


def drawing(figure: "Figure", words: str) -> str:
    """Return a drawing as part of the page; a PNG without a date, so that equal runs give equal bytes."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, metadata={"Software": None})
    return f'<div class="drawing">{_embedded(data, words)}</div>'


def _embedded(data: io.BytesIO, words: str) -> str:
    encoded = base64.b64encode(data.getvalue()).decode("ascii")
    return f'<img alt="{text(words)}" src="data:image/png;base64,{encoded}">'
