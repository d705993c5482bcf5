"""What ``fog-coordinator status`` shows people."""

from rich.table import Table

from coordinator.fog.client import SiteSnapshot


def status_tables(site: SiteSnapshot) -> list[Table]:
    """Return a table of the fog nodes and one of the deployments."""
    nodes = Table("fog node", "state", "cores", "memory", "load", "epoch", "answers", title="Nodes")
    for entry in site.as_json()["nodes"]:
        info, beat = entry["info"], entry["beat"]
        nodes.add_row(
            entry["node"],
            "online" if entry["online"] else "offline",
            str(info["cores"]) if info else "",
            f"{info['memory_bytes'] / 1e6:.0f} MB" if info else "",
            f"{beat['load']:.0%}" if beat else "",
            str(beat["epoch"]) if beat else "",
            str(beat["counters"].get("answers", 0)) if beat else "",
        )
    deployments = Table(
        "deployment", "state", "epoch", "answer after", "where or why", title="Deployments"
    )
    for name, status in sorted(site.deployments.items()):
        by_node: dict[str, list[str]] = {}
        for part, node in sorted(status.placement.items()):
            by_node.setdefault(node, []).append(part)
        where = "\n".join(f"{node}: {', '.join(parts)}" for node, parts in sorted(by_node.items()))
        deployments.add_row(
            name,
            status.phase,
            str(status.epoch),
            ""
            if status.predicted is None
            else f"{status.predicted.response_s * 1000:.1f} ms predicted",
            status.reason or where,
        )
    return [nodes, deployments]
