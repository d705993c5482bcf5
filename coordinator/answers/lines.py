"""How an answer reads: a line for people, an object for programs; pure."""

import time
from typing import Any

from broker.messages import Result
from coordinator.answers.following import Heard


def verdict(result: Result) -> str:
    """Return what an answer says: its label, or that it is unknown and what it would be."""
    if result.unknown:
        return f"unknown ({result.label} {result.confidence:.0%})"
    return f"{result.label} {result.confidence:.0%}"


def line(heard: Heard, unix_s: float) -> str:
    """Return the line of an answer that came at ``unix_s``."""
    result = heard.result
    parts = [time.strftime("%H:%M:%S", time.localtime(unix_s)), result.camera, verdict(result)]
    if result.missing:
        parts.append(f"without {', '.join(result.missing)}")
    if result.source:
        parts.append(result.source)
    return "  ".join([*parts, f"{result.age_s * 1000:.0f} ms"])


def as_json(heard: Heard, unix_s: float) -> dict[str, Any]:
    """Return what ``answers --json`` prints of it."""
    return {"time": round(unix_s, 3), "node": heard.node, **heard.result.model_dump(mode="json")}
