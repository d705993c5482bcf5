"""Memory as a fog node counts it: each artifact once, whatever epochs and deployments use it; pure.

A node refuses an assignment when the artifacts of all that it serves and prepares, each hash
counted once, need more than its `memory_bytes`. So a placement beside what stays there has what the
held artifacts leave, and an artifact that is held costs nothing more.
"""

from collections.abc import Iterable, Mapping

from models.bundle import Bundle

Held = Mapping[str, Mapping[str, int]]
"""By node the artifacts that it holds and keeps: sha256 -> bytes of memory."""


def held_by(bundle: Bundle, placement: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Return what a placement of a bundle holds on every node that it uses."""
    held: dict[str, dict[str, int]] = {}
    for part in bundle.partitions:
        held.setdefault(placement[part.id], {})[part.sha256] = part.memory_bytes
    return held


def held_together(several: Iterable[Held]) -> dict[str, dict[str, int]]:
    """Return what epochs and deployments hold together on every node, an artifact of two once."""
    together: dict[str, dict[str, int]] = {}
    for held in several:
        for node, artifacts in held.items():
            together.setdefault(node, {}).update(artifacts)
    return together


def free_bytes(memory_bytes: int, artifacts: Mapping[str, int]) -> int:
    """Return what is left of a node's memory beside the artifacts that it keeps."""
    return max(memory_bytes - sum(artifacts.values()), 0)


def overfull(memory_bytes: Mapping[str, int], held: Held) -> frozenset[str]:
    """Return the nodes whose memory is too small for the artifacts that they are to hold."""
    return frozenset(
        node
        for node, artifacts in held.items()
        if node in memory_bytes and sum(artifacts.values()) > memory_bytes[node]
    )
