"""What ``fog-coordinator status`` shows in figures: a table of the deployments and one of the fog nodes."""

from collections.abc import Iterator
from typing import Final

from rich.table import Table
from rich.text import Text

from broker.messages import Status
from coordinator.fog.site_snapshot import Presence, SiteSnapshot
from coordinator.fog.status_lines import BAD, GOOD, WORSE, span

_PRESENCE: Final[dict[Presence, str]] = {"online": GOOD, "silent": BAD, "offline": BAD}
_INCOMPLETE: Final = 0.05
_LATER: Final = 1.5
"""Answers that take this times the prediction stand out."""


def status_tables(site: SiteSnapshot, now: float, unix_s: float) -> list[Table]:
    """Return the tables; ``now`` in the seconds of the snapshot, ``unix_s`` the same moment for people."""
    tables = [_deployments(site, now), _nodes(site, now)]
    return [*tables, _cameras(site, unix_s)] if site.cameras else tables


def _deployments(site: SiteSnapshot, now: float) -> Table:
    current = site.coordinator_presence(now) == "online"
    title = "Deployments" if current else "Deployments, as they were when a coordinator last spoke"
    table = Table("deployment", "state", "epoch", title=title)
    for column in ("answer after", "frames/s", "incomplete"):
        table.add_column(column, justify="right")
    for name, status in sorted(site.deployments.items()):
        table.add_row(
            name,
            _state(status, name in site.active),
            str(status.epoch or ""),
            _response(status),
            _frames_per_s(status),
            _incomplete(status),
        )
    return table


def _state(status: Status, serves: bool) -> Text:
    if status.phase == "serving":
        return Text("degraded", WORSE) if status.degraded else Text("serving", GOOD)
    return Text(status.phase, WORSE if serves else BAD)


def _response(status: Status) -> Text:
    measured, predicted = status.measured, status.predicted
    text = Text("-" if measured is None else _ms(measured.response_s))
    if predicted is None:
        return text
    expected = max(predicted.response_s, predicted.p95_s or 0.0)
    if measured is not None and measured.response_s > _LATER * expected:
        text.stylize(WORSE)
    return text.append(f"\npredicted {_ms(predicted.response_s)}", "dim")


def _frames_per_s(status: Status) -> Text:
    text = Text("-" if status.measured is None else f"{status.measured.frames_per_s:.3g}")
    predicted = status.predicted.frames_per_s if status.predicted else None
    return text if predicted is None else text.append(f"\nup to {predicted:.3g}", "dim")


def _incomplete(status: Status) -> Text:
    if status.measured is None:
        return Text("-")
    share = status.measured.incomplete
    return Text(f"{share:.1%}", WORSE if share > _INCOMPLETE else "")


def _nodes(site: SiteSnapshot, now: float) -> Table:
    table = Table("fog node", "state", "heard", title="Fog nodes")
    for column in ("load", "cores", "memory"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("runs", overflow="fold")
    for name in site.nodes:
        info, beat, presence = site.infos.get(name), site.beats.get(name), site.presence(name, now)
        heard_at = site.heard_at.get(name)
        state = Text(presence, _PRESENCE[presence])
        if site.held_against(name) and presence == "online":
            state = Text("slow", WORSE)
        table.add_row(
            name,
            state,
            f"{now - heard_at:.1f} s ago" if heard_at is not None else "not heard",
            f"{beat.load:.0%}" if beat else "",
            str(info.cores) if info else "",
            f"{info.memory_bytes / 1e6:.0f} MB" if info else "",
            "\n".join(_runs(site, name)),
        )
    return table


def _runs(site: SiteSnapshot, node: str) -> Iterator[str]:
    """Yield a line a deployment: what the node runs for it."""
    for name, status in sorted(site.deployments.items()):
        parts = [part for part, where in sorted(status.placement.items()) if where == node]
        if status.standby == node and status.placement:
            parts.append("standby of the fusion")
        if parts:
            yield f"{name}: {', '.join(parts)}"


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def _cameras(site: SiteSnapshot, unix_s: float) -> Table:
    table = Table("camera", "deployment", "shows", title="Cameras")
    table.add_column("sure", justify="right")
    table.add_column("for", justify="right")
    for _, state in sorted(site.cameras.items()):
        silent = state.silent_since
        table.add_row(
            state.camera,
            state.deployment,
            Text(state.label, "" if silent is None else "dim"),
            f"{state.confidence:.0%}",
            Text(span(max(0.0, unix_s - state.since)))
            if silent is None
            else Text(f"silent for {span(max(0.0, unix_s - silent))}", WORSE),
        )
    return table
