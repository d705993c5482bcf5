"""The table that people see."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table


def table_of(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return one row a fault; seconds are median / worst over the runs."""
    table = Table(title="Faults in mid-stream")
    table.add_column("fault")
    for name in (
        "runs",
        "sent",
        "answered",
        "twice",
        "incomplete",
        "gap s",
        "complete s",
        "on time s",
    ):
        table.add_column(name, justify="right")
    table.add_column("status")
    for row in rows:
        if not row["runs"]:
            table.add_row(row["fault"], "0", row.get("skipped", "not played"))
            continue
        table.add_row(
            row["fault"],
            *(str(row[name]) for name in ("runs", "sent", "answered", "duplicates", "incomplete")),
            _pair(row["gap_p50_s"], row["gap_max_s"]),
            _pair(row["complete_p50_s"], row["complete_max_s"]),
            _pair(row["on_time_p50_s"], row["on_time_max_s"]),
            "true" if row["status_true"] else "; ".join(row["status_lies"]),
        )
    return table


def _pair(middle: float | None, worst: float | None) -> str:
    return " / ".join("never" if value is None else f"{value:.2f}" for value in (middle, worst))
