"""The bundles that the faults are played on: untrained, for what is answered does not matter here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.bundle import Bundle, write_bundle
from models.evaluator import seeded_network
from models.export import export
from models.winner import describe

_CLASSES: Final = 10


@dataclass(frozen=True, slots=True)
class Network:
    """Four branches; ``memory_bytes`` is declared for every partition but the fusion, None: as it is."""

    genome: str
    shape: NetworkShape
    seed: int = 1
    memory_bytes: int | None = None


def _square(side: int, *channels: int) -> NetworkShape:
    return NetworkShape(_CLASSES, (1, side, side), (channels,))


_BRANCHES: Final = "0-11 / 0-11 / 0-11 / 0-11"
_STAGES: Final = "1|1 / 1|1 / 1|1 / 1|1"

NETWORKS: Final = {
    "light": Network(_BRANCHES, _square(28, 64)),  # about 1 ms a branch on a desktop's core
    "other": Network(_BRANCHES, _square(20, 64), seed=2),  # pictures of another shape
    "middle": Network(_BRANCHES, _square(40, 80)),  # about 3 ms
    "heavy": Network(_BRANCHES, _square(56, 80)),  # about 6 ms a branch
    "heavier": Network(_BRANCHES, _square(88, 80)),  # about 15 ms a branch
    "large": Network(_BRANCHES, _square(256, 4)),  # pictures of 64 KB
    "heavy-again": Network(_BRANCHES, _square(60, 80), seed=2),  # about half of that
    # Eight partitions that say they need 30 MB: three fit into 92 MB, two are a node's share.
    "staged": Network(_STAGES, _square(28, 32, 64), memory_bytes=30_000_000),
    "staged-again": Network(_STAGES, _square(28, 32, 64), seed=2, memory_bytes=30_000_000),
}


def make_bundle(name: str, folder: Path) -> Bundle:
    """Write the bundle of one of ``NETWORKS`` into ``folder``."""
    network = NETWORKS[name]
    model = seeded_network(Genome.parse(network.genome), network.shape, network.seed)
    exported = export(model)
    bundle = describe(model, exported, tuple(map(str, range(_CLASSES))), (0.0,), name)
    if network.memory_bytes is not None:
        parts = tuple(
            part
            if part.branch is None
            else part.model_copy(update={"memory_bytes": network.memory_bytes})
            for part in bundle.partitions
        )
        bundle = bundle.model_copy(update={"partitions": parts})
    write_bundle(folder, bundle, exported.whole, exported.graphs)
    return bundle
