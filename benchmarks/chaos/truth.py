"""Was ``fog-coordinator status --json`` right? Pure: what it said against what we know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.chaos.records import Answer

Answers = Literal["complete", "incomplete", "none"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so when status is asked: what we did to whom, and what the cameras hear.

    ``nodes``: whether each can serve; None where either word is right (it is just coming or going).
    """

    broker: bool
    coordinator: bool
    nodes: Mapping[str, bool | None]
    answers: Answers | None
    """None: no camera streams."""


def answers_since(answers: Sequence[Answer], since: float) -> Answers:
    """Return how the answers that came after ``since`` are; a twentieth may miss a branch."""
    late = [answer for answer in answers if answer.at >= since]
    if not late:
        return "none"
    missing = sum(bool(answer.missing) for answer in late)
    return "complete" if missing <= 0.05 * len(late) else "incomplete"


def lies(said: Mapping[str, Any] | None, truth: Truth) -> list[str]:
    """Return in one sentence each what status said that is not so; ``said`` None is a refusal.

    Without a coordinator nobody watches the deployments, so that what is retained of them is not
    held against it.
    """
    if said is None:
        return ["it refused while the broker was there"] if truth.broker else []
    if not truth.broker:
        return ["it answered without a broker"]
    found = []
    if (said["coordinator_state"] == "online") is not truth.coordinator:
        found.append(f"the coordinator is {'here' if truth.coordinator else 'gone'}")
    shown = {node["node"]: node for node in said["nodes"]}
    for node, serves in sorted(truth.nodes.items()):
        word = _word(shown.get(node))
        if serves is not None and (word == "online") is not serves:
            found.append(f"a node is {'here' if serves else 'gone'} and was shown {word}")
    if truth.coordinator:
        found += [lie for entry in said["deployments"] for lie in _of(entry, truth.answers)]
    return found


def _word(node: Mapping[str, Any] | None) -> str:
    """Return how a node was shown: not at all, online with nothing against it, or what else."""
    if node is None:
        return "not at all"
    return "slow" if node["state"] == "online" and node["slow"] else str(node["state"])


def _of(deployment: Mapping[str, Any], answers: Answers | None) -> list[str]:
    phase = deployment["phase"]
    plain = phase == "serving" and not deployment["reason"] and not deployment["degraded"]
    if answers == "none" and plain:
        return ["plainly serving while nothing was answered"]
    if answers == "incomplete" and plain:
        return ["plainly serving while branches were missing"]
    if answers == "complete" and phase in ("failed", "waiting", "fetching"):
        return [f"{phase} while complete answers came"]
    return []
