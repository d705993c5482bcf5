"""What the demo found: the fields of ``demo-report.json``, and whether they are what they must be; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

ACCURACY: Final = 0.95
RECOVERY_S: Final = 5.0

Record = Mapping[str, Any]
"""One line of a camera's log: an answer, with ``sent_at``, ``latency_s`` and ``truth``."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happened: the cameras' summaries and logs, when the node was killed (Unix seconds)."""

    summaries: Sequence[Mapping[str, Any]]
    records: Sequence[Record]
    placements: Mapping[int, Mapping[str, str]]
    standbys: Mapping[int, str]
    killed: str
    killed_at: float
    killed_epoch: int
    redeployed_at: float | None
    broker: str
    nodes: Sequence[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """``demo-report.json`` and the sentences about what does not hold."""

    values: dict[str, Any]
    failures: list[str]


def answered_at(record: Record) -> float:
    """Return when an answer came, Unix seconds."""
    return float(record["sent_at"] + record["latency_s"])


def mixed(
    record: Record, placements: Mapping[int, Mapping[str, str]], standbys: Mapping[int, str]
) -> bool:
    """Return whether a frame was worked on by a node that its epoch does not name there.

    The last hop is the fusion, which the epoch's standby may have run.
    """
    placement, standby = placements.get(record["epoch"], {}), standbys.get(record["epoch"])
    *branches, fusion = record["latency"]
    return any(placement.get(hop["partition"]) != hop["node"] for hop in branches) or (
        fusion["node"] not in (placement.get(fusion["partition"]), standby)
    )


def report_of(story: Story) -> Report:
    """Return the report of what happened."""
    records = story.records
    right = [record["truth"] == record["label"] for record in records]
    complete_again = [
        answered_at(record) - story.killed_at
        for record in records
        if record["epoch"] > story.killed_epoch
        and not record["missing"]
        and answered_at(record) > story.killed_at
    ]
    latency = np.percentile([r["latency_s"] for r in records], [50, 95, 99]) if records else []
    total = {
        name: sum(summary[name] for summary in story.summaries)
        for name in ("sent", "answered", "incomplete", "mixed_epochs")
    }
    total["mixed_epochs"] += sum(
        mixed(record, story.placements, story.standbys) for record in records
    )
    values: dict[str, Any] = {
        "accuracy": sum(right) / len(right) if right else 0.0,
        **total,
        "duplicates": len(records) - len(_frames(records)),
        "recovery_s": min(complete_again, default=None),
        "latency_ms": {
            name: float(value) * 1000
            for name, value in zip(("p50", "p95", "p99"), latency, strict=False)
        },
        "broker": story.broker,
        "nodes": list(story.nodes),
        "killed": story.killed,
        "placements": {str(epoch): dict(placed) for epoch, placed in story.placements.items()},
        "seconds": story.seconds,
    }
    return Report(values, _failures(values))


def _frames(records: Sequence[Record]) -> set[tuple[str, int]]:
    return {(record["camera"], record["frame_id"]) for record in records}


def _failures(values: Mapping[str, Any]) -> list[str]:
    recovery = values["recovery_s"]
    failures = []
    if values["accuracy"] < ACCURACY:
        failures.append(f"accuracy {values['accuracy']:.4f} is below {ACCURACY}")
    if not values["sent"] or values["answered"] != values["sent"]:
        failures.append(f"{values['answered']} of {values['sent']} frames were answered")
    if values["duplicates"]:
        failures.append(f"{values['duplicates']} frames were answered more than once")
    if values["mixed_epochs"]:
        failures.append(f"{values['mixed_epochs']} answers mixed epochs")
    if recovery is None:
        failures.append("no complete answer of a new epoch came after the kill")
    elif recovery > RECOVERY_S:
        failures.append(f"recovery took {recovery:.2f} s, more than {RECOVERY_S:g} s")
    return failures
