"""How an answer reads: a line for people, an object for programs; pure."""

import time
from typing import Any

from broker.verdict import verdict
from coordinator.answers.following import Heard


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
