"""The timeline of a placement as a picture: who computes, sends and receives what, when."""

from pathlib import Path
from typing import Final

from evolution.placement.forecast import Forecast

PICTURES: Final = (".png", ".svg", ".pdf", ".jpg")
"""What a name may end in."""

_COLOURS: Final = {"compute": "#2b6cb0", "upload": "#c05621", "download": "#2f855a"}
_NAMES: Final = {"compute": "computes", "upload": "sends", "download": "receives"}
_ROWS: Final = ("compute", "upload", "download")


def draw_gantt(forecast: Forecast, devices: list[str], lower_bound_s: float, path: Path) -> None:
    """Write a Gantt chart; three rows a device, time in milliseconds."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    used = [d for d in devices if any(interval.device == d for interval in forecast.timeline)]
    rows = [(device, resource) for device in used for resource in _ROWS]
    figure, axes = plt.subplots(figsize=(11, 1.2 + 0.3 * len(rows)), layout="constrained")
    labels = []
    for interval in forecast.timeline:
        row = rows.index((interval.device, interval.resource))
        start, width = interval.start_s * 1000, (interval.end_s - interval.start_s) * 1000
        bar = axes.barh(
            row, width, left=start, color=_COLOURS[interval.resource], edgecolor="white"
        )
        label = axes.text(
            start + width / 2, row, interval.subject,
            ha="center", va="center", fontsize=6, color="white",
        )  # fmt: skip
        labels.append((label, bar[0]))
    axes.set_yticks(range(len(rows)), [f"{d} {_NAMES[r]}" for d, r in rows], fontsize=7)
    axes.invert_yaxis()
    for edge in range(3, len(rows), 3):
        axes.axhline(edge - 0.5, color="#cbd5e0", linewidth=0.8)
    axes.axvline(forecast.response_s * 1000, color="black", linewidth=1)
    axes.axvline(lower_bound_s * 1000, color="grey", linewidth=1, linestyle="--")
    axes.set_xlabel("milliseconds since the frame")
    axes.set_title(
        f"One frame: answer after {forecast.response_s * 1000:.2f} ms "
        f"(lower bound {lower_bound_s * 1000:.2f} ms, dashed), "
        f"up to {forecast.frames_per_s:.0f} frames/s",
        fontsize=10,
    )
    figure.draw_without_rendering()
    for label, patch in labels:  # a name that is wider than its bar would run into the next one
        label.set_visible(label.get_window_extent().width < 0.95 * patch.get_window_extent().width)
    figure.savefig(path, dpi=130)
    plt.close(figure)
