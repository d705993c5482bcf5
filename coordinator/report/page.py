"""``report.html`` of a search run: one file with pictures inside, which needs nothing else."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from coordinator.files import FileError
from coordinator.report.network_drawing import amount, draw_network
from coordinator.report.search_pictures import draw_front, draw_generations
from coordinator.search.run_folder import REPORT, Run, read_individuals, read_result
from evolution.cost import NetworkShape
from evolution.genome import Genome
from evolution.pareto import front

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOP: Final = 10
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
img { max-width: 100%; display: block; } code { font-size: 0.9em; overflow-wrap: anywhere; }
table { border-collapse: collapse; } th, td { padding: 0.25rem 0.7rem 0.25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e2e8f0; }
td.n, th.n { text-align: right; white-space: nowrap; } p.note { color: #5f6b7a; }
"""

_DRAWING: Final = (
    "Rows are branches, boxes are stages: a circle is a convolution of the sum of what comes in, orange "
    "ones are there by default. ch: channels. Dashed: a branch also takes another's stage output. "
    "Nodes without an edge are left out."
)


def write_report(run: Run, shape: NetworkShape) -> Path:
    """Write the report of a finished run and return where it is; equal runs have equal reports.

    Raises:
        FileError: the run is not finished, or its folder cannot be written.
    """
    individuals, result = read_individuals(run.folder), read_result(run.folder)
    path = run.folder / REPORT
    try:
        path.write_text(_page(run, shape, individuals, result), encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    return path


def _page(
    run: Run, shape: NetworkShape, individuals: Sequence[dict[str, Any]], result: dict[str, Any]
) -> str:
    config, best = run.config, result["best"]
    distinct = {record["network"]: record for record in reversed(individuals)}
    networks = list(distinct.values())
    kept = front([_objectives(record) for record in networks])
    objectives = "accuracy, MACs of the heaviest branch, bytes between devices"
    if config.inventory:
        objectives += ", predicted response"
    dots = (
        f"A dot is a distinct network. No other dominates the marked ones in {objectives}; so one of "
        "them may look beaten here and be better in what the picture does not show."
    )
    found = f"{result['evaluations']} individuals, {result['distinct_networks']} distinct networks"
    ranked = sorted(networks, key=lambda record: (-record["fitness"], record["network"]))
    dataset = Path(config.dataset).name
    body = [
        f"<h1>Search on {html.escape(dataset)}</h1>",
        f"<p>{found}, mode {config.mode}, measured by {config.evaluator}, seed {config.seed}.</p>",
        "<h2>Best network</h2>",
        _facts(best, config.inventory != ()),
        _image(draw_network(Genome.parse(best["genome"]), shape), "the best network's branches"),
        f"<p class=note>{_DRAWING}</p>",
        "<h2>Generations</h2>",
        _image(draw_generations(individuals), "fitness by generation"),
        f"<h2>{'Pareto front' if config.mode == 'pareto' else 'Accuracy against cost'}</h2>",
        _image(draw_front(networks, kept, best["network"]), "accuracy against MACs"),
        f"<p class=note>{dots}</p>",
        f"<h2>Best {min(_TOP, len(ranked))} networks</h2>",
        _table(ranked[:_TOP], config.inventory != ()),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Search on {html.escape(dataset)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _objectives(record: dict[str, Any]) -> tuple[float, ...]:
    """Return the vector of `Scored.objectives` from a line of ``individuals.jsonl``."""
    costs = (1 - record["accuracy"], record["heaviest_macs"], record["exchanged_bytes"])
    return (*costs, record["response_s"]) if "response_s" in record else costs


def _facts(best: dict[str, Any], devices: bool) -> str:
    """Return the table of what is known of the best network."""
    share = best["heaviest_macs"] / best["macs"]
    penalties = f"complexity {best['complexity']:.3f}, structure {best['structure']:.3f}"
    rows = [
        ("genome", f"<code>{html.escape(best['genome'])}</code>"),
        ("validation accuracy", f"{best['accuracy']:.2%}"),
        ("fitness", f"{best['fitness']:.4f} ({penalties}, before their weights)"),
        ("MACs of a picture", f"{best['macs']:,}; the heaviest branch has {share:.0%} of them"),
        ("parameters", f"{best['parameters']:,}"),
        ("bytes exchanged between branches", f"{best['exchanged_bytes']:,}"),
    ]
    if devices:
        rows.append(("predicted response on the devices", f"{1000 * best['response_s']:.2f} ms"))
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _table(ranked: Sequence[dict[str, Any]], devices: bool) -> str:
    """Return the networks, one a row, with the numbers that they are ranked by."""
    names = ["fitness", "accuracy", "MACs", "heaviest branch", "exchanged", "parameters"]
    names += ["response"] if devices else []
    head = "".join(f"<th class=n>{name}</th>" for name in names) + "<th>genome</th>"
    rows = []
    for record in ranked:
        cells = [
            f"{record['fitness']:.4f}",
            f"{record['accuracy']:.2%}",
            amount(record["macs"]),
            amount(record["heaviest_macs"]),
            f"{record['exchanged_bytes']:,} B",
            amount(record["parameters"]),
        ]
        cells += [f"{1000 * record['response_s']:.2f} ms"] if devices else []
        numbers = "".join(f"<td class=n>{cell}</td>" for cell in cells)
        rows.append(f"<tr>{numbers}<td><code>{html.escape(record['genome'])}</code></td></tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _image(figure: "Figure", words: str) -> str:
    """Return a picture as part of the page; a PNG without a date, so that equal runs give equal bytes."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, metadata={"Software": None})
    encoded = base64.b64encode(data.getvalue()).decode("ascii")
    return f'<img alt="{words}" src="data:image/png;base64,{encoded}">'
