"""The demo's picture: the latency of every answer over time, with the kill and the redeploy marked."""

from pathlib import Path

from coordinator.demo.report import Story, answered_at


def draw_latency(story: Story, path: Path) -> None:
    """Write the picture as PNG; time in seconds since the first frame, latency in ms, log scale."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    start = min(record["sent_at"] for record in story.records)
    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    epochs = sorted({record["epoch"] for record in story.records})
    colours = ["#2b6cb0", "#2f855a", "#6b46c1", "#b7791f", "#285e61"]
    for index, epoch in enumerate(epochs):
        points = [r for r in story.records if r["epoch"] == epoch and not r["missing"]]
        axes.scatter(
            [answered_at(r) - start for r in points],
            [r["latency_s"] * 1000 for r in points],
            s=9,
            color=colours[index % len(colours)],
            label=f"epoch {epoch}: {len(points)} complete answers",
        )
    points = [r for r in story.records if r["missing"]]
    if points:
        axes.scatter(
            [answered_at(r) - start for r in points],
            [r["latency_s"] * 1000 for r in points],
            s=22,
            marker="x",
            color="#c53030",
            label=f"{len(points)} answers with a missing branch",
        )
    axes.axvline(story.killed_at - start, color="#c53030", linestyle="--")
    axes.annotate(
        f"{story.killed} killed ",
        (story.killed_at - start, 0.97),
        xycoords=("data", "axes fraction"),
        ha="right",
        va="top",
        color="#c53030",
    )
    if story.redeployed_at is not None:
        axes.axvline(story.redeployed_at - start, color="#2f855a", linestyle="--")
        axes.annotate(
            f" redeployed after {story.redeployed_at - story.killed_at:.2f} s",
            (story.redeployed_at - start, 0.97),
            xycoords=("data", "axes fraction"),
            ha="left",
            va="top",
            color="#2f855a",
        )
    axes.set_yscale("log")
    axes.set_ylim(top=3000 * max(record["latency_s"] for record in story.records))
    axes.set_xlabel("seconds since the first frame")
    axes.set_ylabel("latency of the answer, ms")
    axes.set_title(
        f"{len(story.records)} answers of {len(story.summaries)} cameras on "
        f"{len(story.nodes)} fog nodes"
    )
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.legend(loc="upper right", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)
