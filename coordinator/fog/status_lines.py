"""What ``fog-coordinator status`` says in sentences: who serves, and what is wrong since when."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from broker.messages import Status
from coordinator.fog.site_snapshot import SILENT_S, SiteSnapshot

GOOD: Final = "green"
WORSE: Final = "yellow"
BAD: Final = "red"


def status_lines(site: SiteSnapshot, now: float, unix_now: float) -> Iterator[Text]:
    """Yield what a person needs to know first; ``now`` in the seconds of the snapshot."""
    yield _coordinator(site, now)
    for name, status in sorted(site.deployments.items()):
        if name in site.wanted:
            yield _deployment(status, name in site.active, unix_now)
            for node, why in sorted(status.slow.items()):
                if why not in status.degraded:
                    yield Text(f"{name}: {node} {why}", WORSE)
    for name in sorted(site.wanted - site.deployments.keys()):
        yield Text(f"{name}: wanted, but no coordinator has taken it up", BAD)
    for name in site.orphans:
        yield _orphan(name, site.deployments.get(name))
    for node in site.nodes:
        if site.presence(node, now) == "silent":
            yield Text(
                f"{node}: its state says online, but it has not beaten for {SILENT_S:g} s", BAD
            )
    if site.bad_messages:
        yield Text(
            f"{site.bad_messages} messages could not be decoded: something on the site is of another "
            "version, or is no part of it",
            WORSE,
        )


def _coordinator(site: SiteSnapshot, now: float) -> Text:
    match site.coordinator_presence(now):
        case "online":
            ago = now - (site.coordinator_heard_at or now)
            return Text(f"fog-coordinator answers, heard {ago:.1f} s ago", GOOD)
        case "silent":
            return Text(
                "fog-coordinator does not answer: its state says online, "
                f"but it has not beaten for {SILENT_S:g} s",
                BAD,
            )
    return Text("no coordinator is running in this site; start one: fog-coordinator serve", BAD)


def _deployment(status: Status, serves: bool, unix_now: float) -> Text:
    phase = str(status.phase)
    if status.since:
        phase += f" for {span(max(0.0, unix_now - status.since))}"
    why = "; ".join(filter(None, (status.reason, status.degraded)))
    if status.phase == "serving":
        style = WORSE if why else GOOD
        phase = f"{phase}, degraded" if why else phase
    elif serves:
        style, phase = WORSE, f"{phase}, the epoch before serves"
    else:
        style, phase = BAD, f"{phase}, nothing serves"
    return Text(f"{status.deployment}: {phase}{': ' if why else ''}{why}", style)


def _orphan(name: str, status: Status | None) -> Text:
    """Say what is left of a deployment that nobody wants: one that was refused left the reason."""
    if status is not None and status.phase == "failed" and status.reason:
        return Text(
            f"{name}: refused: {status.reason}; deploy it anew, or clear this: "
            f"fog-coordinator undeploy {name}",
            BAD,
        )
    return Text(
        f"{name}: nobody wants it any more; clear what is left: fog-coordinator undeploy {name}",
        WORSE,
    )


def span(seconds: float) -> str:
    """Return a length of time in its largest unit: ``45 s``, ``12 min``, ``3 h``, ``9 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"
