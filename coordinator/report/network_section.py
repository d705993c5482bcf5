"""The part of the report about the network: what it looks like, and what it costs."""

from collections.abc import Iterator
from typing import Final

from coordinator.forecast.raspberry_pi import PI_4_CORE_MACS_PER_S, alone_s, spread_s
from coordinator.report.document import drawing, facts, text
from coordinator.report.learned import Learned
from coordinator.report.network_drawing import amount, draw_network
from evolution.cost import branch_macs, parameters, total_macs

DRAWING: Final = (
    "Rows are branches, boxes are stages: a circle is a convolution of the sum of what comes in, orange "
    "ones are there by default. ch: channels. Dashed: a branch also takes another's stage output. "
    "Nodes without an edge are left out."
)


def network_section(learned: Learned) -> Iterator[str]:
    """Yield what the network costs, and its drawing."""
    genome, shape, bundle = learned.genome, learned.shape, learned.bundle
    macs = total_macs(genome, shape)
    frame = bundle.tensor(bundle.input.name)
    stored = sum(part.bytes for part in bundle.partitions)
    memory = max(part.memory_bytes for part in bundle.partitions)
    rows = [
        (
            "MACs of a picture",
            f"{amount(macs)}, {max(branch_macs(genome, shape)) / macs:.0%} in the heaviest branch",
        ),
        (
            "one core of a Raspberry Pi 4",
            f"{1000 * alone_s(genome, shape):.3g} ms a frame, predicted",
        ),
    ]
    if genome.branch_count > 1:
        rows.append(
            (
                f"a branch on each of {genome.branch_count} of them",
                f"{1000 * spread_s(genome, shape):.3g} ms a frame, predicted, without their network",
            )
        )
    rows += [
        ("parameters", f"{parameters(genome, shape):,}"),
        ("bytes of an uncompressed frame", f"{frame.bytes:,}"),
        ("bytes sent to the fog nodes once", f"{stored:,}"),
        ("memory of the largest of its partitions", f"{memory / 1e6:.1f} MB"),
        ("genome", f"<code>{text(genome)}</code>"),
    ]
    yield "<h2>The network and what it costs</h2>"
    yield facts(rows)
    yield (
        f'<p class="soft">A core of a Raspberry Pi 4 is taken to compute {PI_4_CORE_MACS_PER_S / 1e9:g} billion '
        "MACs a second; the fog nodes measure themselves when they join.</p>"
    )
    yield drawing(draw_network(genome, shape), "the network's branches")
    yield f'<p class="soft">{DRAWING}</p>'
