"""What people are told of a camera's stream: each answer as it comes, and the end."""

import time
from collections.abc import Mapping
from typing import Any, Final

from broker.verdict import verdict
from fog_node.camera.stream import Answer

_SOURCE: Final = 80
COUNTED: Final = {
    "superseded": "not sent, newer ones took their place",
    "unchanged": "not sent, nothing had changed",
    "stale": "not sent, too old",
    "skipped": "pictures that could not be read",
    "damaged": "pictures that could not be read",
    "truncated": "pictures cut off",
    "repeated": "pictures that came again",
    "retained": "retained pictures, of nobody knows when",
    "no_picture": "messages without a picture",
    "chunked": "pieces of pictures",
    "too_large": "too large for a picture",
    "empty": "without anything in it",
    "reopened": "times the source was opened again",
}
"""What a summary says only where there was any, in the words that follow the number."""


def answer_line(answer: Answer, unix_now: float, *, of_several: bool = False) -> str:
    """Return an answer on one line: ``12:04:31 door  open 98 %  IMG_0042.jpg  31 ms``.

    ``of_several``: the camera feeds more than one deployment, which the line names as well.
    """
    result = answer.result
    said = verdict(result)
    if result.missing:
        said += " (without some branch)"
    clock = time.strftime("%H:%M:%S", time.localtime(unix_now))
    source = result.source if len(result.source) <= _SOURCE else f"…{result.source[1 - _SOURCE :]}"
    name = f"{result.camera} ({result.deployment})" if of_several else result.camera
    parts = [f"{clock} {name}", said, source, f"{answer.latency_s * 1000:.0f} ms"]
    return "  ".join(part for part in parts if part)


def summary_line(summary: Mapping[str, Any], *, of_several: bool = False) -> str:
    """Return what a stream came to, on one line."""
    name = summary["camera"]
    if of_several:
        name += f" ({summary['deployment']})"
    parts = [
        f"{summary['sent']} sent",
        f"{summary['answered']} answered",
        f"{summary['incomplete']} with a missing branch",
    ]
    if summary["unknown"]:
        parts.append(f"{summary['unknown']} unknown")
    if summary["lost"]:
        parts.append(f"{summary['lost']} lost")
    parts += [f"{summary[key]} {words}" for key, words in COUNTED.items() if summary.get(key)]
    if summary["accuracy"] is not None:
        parts.append(f"{summary['accuracy']:.1%} right")
    latency = summary["latency_ms"]
    if latency is not None:
        parts.append(f"latency p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms")
    wrong = summary["fault"] or summary["trouble"]
    if wrong:
        parts.append(wrong)
    return f"{name}: " + ", ".join(parts)
