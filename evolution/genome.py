"""The genome of a branched CNN: stages of Genetic-CNN bits, in branches, with two optional genes.

Source: Xie & Yuille, Genetic CNN, ICCV 2017 (arXiv 1703.01513), section 3.1; branches are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from evolution.isomorphism import branch_orders, pairs, permuted_exchange
from evolution.stage import Stage

__all__ = ["Genome", "Space", "Stage"]

MOST_NODES: Final = 12
"""Of a stage: which of two are isomorphic takes up to a quarter of a second, and of 14 nodes one."""
MOST_STAGES: Final = 10
"""A picture that fits into a message is halved no more often."""
MOST_BRANCHES: Final = 16
"""The accuracy is measured with every subset of the branches missing, some 65,000 of them."""
MOST_EXCHANGING: Final = 7
"""Branches that exchange: which of two are isomorphic takes every order of equal ones, and of 8 a second."""


def check_sizes(nodes: Sequence[int], branches: int, *, exchange: bool) -> None:
    """Raise ValueError for networks that would take for ever to tell apart, or to measure."""
    if len(nodes) > MOST_STAGES:
        raise ValueError(f"nodes: {len(nodes):,} stages, and {MOST_STAGES} are the most.")
    if max(nodes) > MOST_NODES:
        raise ValueError(f"nodes: a stage of {max(nodes):,} nodes, and {MOST_NODES} are the most.")
    most = MOST_EXCHANGING if exchange else MOST_BRANCHES
    if branches > most:
        which = "branches that exchange" if exchange else "branches"
        raise ValueError(f"branches: {branches:,} {which}, and {most} are the most.")


@dataclass(frozen=True, slots=True)
class Genome:
    """B branches of S stages each, and what the optional genes say.

    `widths` holds one width index per branch (absent: all 0). `exchange` holds for each stage
    boundary s = 0 ... S-2 one bit per ordered pair (a, b), a != b, in lexicographic order: set,
    branch b also takes a's output of stage s at its stage s + 1 (absent: all 0).
    """

    branches: tuple[tuple[Stage, ...], ...]
    widths: tuple[int, ...] | None = None
    exchange: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not self.branches or not self.branches[0]:
            raise ValueError("branches: a genome needs at least one branch of at least one stage.")
        nodes = self.nodes_per_stage
        check_sizes(nodes, self.branch_count, exchange=self.exchange is not None)
        if any(tuple(stage.nodes for stage in branch) != nodes for branch in self.branches):
            raise ValueError("branches: all branches need the same number of nodes per stage.")
        if self.widths is not None:
            if len(self.widths) != self.branch_count:
                raise ValueError(f"widths: need {self.branch_count}, not {len(self.widths)}.")
            if min(self.widths) < 0:
                raise ValueError("widths: a width index is not negative.")
        if self.exchange is not None:
            if self.branch_count < 2 or self.stage_count < 2:
                raise ValueError("exchange: needs at least two branches and two stages.")
            if len(self.exchange) != self.stage_count - 1:
                raise ValueError(f"exchange: needs bits for {self.stage_count - 1} boundaries.")
            size = self.branch_count * (self.branch_count - 1)
            if any(len(bits) != size or not set(bits) <= {"0", "1"} for bits in self.exchange):
                raise ValueError(f"exchange: each stage boundary needs {size} bits.")

    @classmethod
    def parse(cls, text: str) -> "Genome":
        """Read `1-01|0-11-010 / 0-11|1-00-111 ; widths 0,2 ; exchange 01`; the genes may be absent.

        White space is free. Raises ValueError with one sentence for anything else.
        """
        code, *genes = text.split(";")
        branches = tuple(
            tuple(Stage.parse(stage) for stage in branch.split("|")) for branch in code.split("/")
        )
        widths: tuple[int, ...] | None = None
        exchange: tuple[str, ...] | None = None
        for gene in genes:
            name, _, value = gene.strip().partition(" ")
            value = "".join(value.split())
            if name == "widths" and widths is None:
                if not all(item.isdecimal() for item in value.split(",")):
                    raise ValueError(f"widths: {value!r} is not a list of numbers like 0,2.")
                widths = tuple(int(item) for item in value.split(","))
            elif name == "exchange" and exchange is None:
                exchange = tuple(value.split("|"))
            else:
                raise ValueError(f"genome: {gene.strip()!r} is not a gene, or is there twice.")
        return cls(branches, widths, exchange)

    def __str__(self) -> str:
        text = " / ".join("|".join(map(str, branch)) for branch in self.branches)
        if self.widths is not None:
            text += " ; widths " + ",".join(map(str, self.widths))
        if self.exchange is not None:
            text += " ; exchange " + "|".join(self.exchange)
        return text

    @property
    def nodes_per_stage(self) -> tuple[int, ...]:
        """K_s for every stage, the same in all branches."""
        return tuple(stage.nodes for stage in self.branches[0])

    @property
    def branch_count(self) -> int:
        """B."""
        return len(self.branches)

    @property
    def stage_count(self) -> int:
        """S."""
        return len(self.branches[0])

    @property
    def isolated_nodes(self) -> int:
        """Number of nodes without an edge, over all branches and stages."""
        stages = [stage for branch in self.branches for stage in branch]
        return sum(stage.nodes - len(stage.active) for stage in stages)

    def width(self, branch: int) -> int:
        """Return the width index of a branch (from 0); 0 without the gene."""
        return self.widths[branch] if self.widths else 0

    def sources(self, branch: int, stage: int) -> tuple[int, ...]:
        """Branches whose outputs of stage - 1 feed this stage: its own, then the exchanged ones.

        The channels are concatenated in this order. Stage 0 takes the picture: no sources.
        """
        if stage == 0:
            return ()
        if self.exchange is None:
            return (branch,)
        bits = zip(pairs(self.branch_count), self.exchange[stage - 1], strict=True)
        return (branch, *(a for (a, b), bit in bits if b == branch and bit == "1"))

    def canonical(self) -> "Genome":
        """Return one genome for all isomorphic networks: stages relabelled, branches reordered.

        Genes that say nothing (all zero) are dropped, since without them the network is the same.
        """
        return _canonical(self)


@lru_cache(maxsize=1 << 16)
def _canonical(genome: Genome) -> Genome:
    """Sort the branches by (canonical stages, width); among equal ones the exchange bits decide."""
    branches = [tuple(stage.canonical() for stage in branch) for branch in genome.branches]
    widths = [genome.width(branch) for branch in range(genome.branch_count)]
    keys = [
        (tuple(map(str, branch)), width) for branch, width in zip(branches, widths, strict=True)
    ]
    exchange = genome.exchange if any("1" in bits for bits in genome.exchange or ()) else None
    orders = branch_orders(keys)
    order = next(orders)
    if exchange is not None:
        given = exchange
        exchange, order = min((permuted_exchange(given, o), o) for o in (order, *orders))
    return Genome(
        branches=tuple(branches[branch] for branch in order),
        widths=tuple(widths[branch] for branch in order) if any(widths) else None,
        exchange=exchange,
    )


@dataclass(frozen=True, slots=True)
class Space:
    """All genomes with these nodes per stage, branches and genes.

    `widths` is the number of width choices per branch; 0 means no width gene.
    """

    nodes: tuple[int, ...]
    branches: int = 1
    exchange: bool = False
    widths: int = 0

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError("nodes: a space needs at least one stage.")
        if min(self.nodes) < 2:
            raise ValueError("nodes: every stage needs at least two nodes.")
        if self.branches < 1:
            raise ValueError("branches: a space needs at least one branch.")
        if self.widths < 0:
            raise ValueError("widths: the number of width choices is not negative.")
        check_sizes(self.nodes, self.branches, exchange=self.exchange)
        if self.exchange and (self.branches < 2 or len(self.nodes) < 2):
            raise ValueError("exchange: needs at least two branches and two stages.")

    @property
    def bit_count(self) -> int:
        """Stage bits of all branches plus the exchange bits; width genes are not bits."""
        stages = self.branches * sum(k * (k - 1) // 2 for k in self.nodes)
        pair_count = self.branches * (self.branches - 1)
        return stages + (pair_count * (len(self.nodes) - 1) if self.exchange else 0)

    def random(self, rng: np.random.Generator) -> Genome:
        """Draw a genome with bits of Bernoulli(0.5) and uniform width indices."""

        def bits(count: int) -> str:
            return "".join("01"[int(bit)] for bit in rng.integers(0, 2, size=count))

        branches = tuple(
            tuple(Stage.from_bits(bits(k * (k - 1) // 2)) for k in self.nodes)
            for _ in range(self.branches)
        )
        widths: tuple[int, ...] | None = None
        exchange: tuple[str, ...] | None = None
        if self.widths:
            widths = tuple(int(w) for w in rng.integers(0, self.widths, size=self.branches))
        if self.exchange:
            size = self.branches * (self.branches - 1)
            exchange = tuple(bits(size) for _ in self.nodes[1:])
        return Genome(branches, widths, exchange)

    def contains(self, genome: Genome) -> bool:
        """Tell whether the space has this genome; an absent gene counts as all zero."""
        return (
            genome.nodes_per_stage == self.nodes
            and genome.branch_count == self.branches
            and all(genome.width(b) < max(self.widths, 1) for b in range(self.branches))
            and (self.widths > 0 or genome.widths is None)
            and (self.exchange or genome.exchange is None)
        )
