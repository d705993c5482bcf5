"""Which camera a topic is of: the levels that a filter's wildcards match; pure."""

import hashlib
import re
import unicodedata
from typing import Final

_MOST: Final = 64
_MARK: Final = 6


def has_wildcard(topic_filter: str) -> bool:
    """Return whether a topic filter may match several topics."""
    return any(level in ("+", "#") for level in topic_filter.split("/"))


def camera_id(topic_filter: str, topic: str) -> str:
    """Return the id of the camera that ``topic`` is of, which ``topic_filter`` matches.

    The levels in the place of ``+`` and ``#``, made portable: ``frigate/+/cat/snapshot`` gives
    ``front-door`` for ``frigate/Front_Door/cat/snapshot``.
    """
    levels = topic.split("/")
    matched: list[str] = []
    for position, wanted in enumerate(topic_filter.split("/")):
        if wanted == "#":
            matched += levels[position:]
        elif wanted == "+":
            matched += levels[position : position + 1]
    return portable_id("-".join(matched))


def portable_id(text: str) -> str:
    """Return ``text`` as an id of a-z, 0-9 and '-', at most 64 characters; the same text, the same id.

    What has nothing portable in it, or too much, is told apart by a hash.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if made and len(made) <= _MOST:
        return made
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_MARK]
    return f"{made[: _MOST - _MARK - 1].rstrip('-')}-{mark}" if made else f"camera-{mark}"
