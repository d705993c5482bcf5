"""The code of one stage of Genetic-CNN.

Source: Xie & Yuille, Genetic CNN, ICCV 2017 (arXiv 1703.01513), section 3.1.
"""

from dataclasses import dataclass
from typing import Self

from evolution.isomorphism import canonical_groups


@dataclass(frozen=True, slots=True, order=True)
class Stage:
    """The graph between two poolings: group j (from 1) holds the bits (1,j+1) ... (j,j+1).

    K nodes have K - 1 groups, so K = 2 is `1`, K = 4 is `1-00-111`. Nodes are counted from 1.
    """

    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.groups:
            raise ValueError("stage: a stage needs at least two nodes, so at least one bit.")
        for length, group in enumerate(self.groups, start=1):
            if len(group) != length or not set(group) <= {"0", "1"}:
                raise ValueError(f"stage: group {length} of {str(self)!r} is not {length} bits.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1-00-111`; raises ValueError when the groups do not have 1, 2, 3 ... bits."""
        return cls(tuple("".join(text.split()).split("-")))

    @classmethod
    def from_bits(cls, bits: str) -> Self:
        """Read the bits without separators (`100111`); their number must be K(K-1)/2."""
        groups = []
        start, length = 0, 1
        while start < len(bits):
            groups.append(bits[start : start + length])
            start, length = start + length, length + 1
        return cls(tuple(groups))

    def __str__(self) -> str:
        return "-".join(self.groups)

    @property
    def bits(self) -> str:
        """All bits without separators."""
        return "".join(self.groups)

    @property
    def nodes(self) -> int:
        """K, the number of nodes in the encoding, with or without edges."""
        return len(self.groups) + 1

    def predecessors(self, node: int) -> tuple[int, ...]:
        """Nodes whose outputs are summed into this node, ascending; all counted from 1."""
        if not 1 <= node <= self.nodes:
            raise ValueError(f"node: {node} is not between 1 and {self.nodes}.")
        group = self.groups[node - 2] if node > 1 else ""
        return tuple(earlier for earlier, bit in enumerate(group, start=1) if bit == "1")

    @property
    def active(self) -> tuple[int, ...]:
        """Nodes with at least one edge; the others are dropped from the network."""
        ends = {
            end
            for node in range(2, self.nodes + 1)
            for earlier in self.predecessors(node)
            for end in (earlier, node)
        }
        return tuple(sorted(ends))

    @property
    def entries(self) -> tuple[int, ...]:
        """Active nodes without a predecessor: the default input node feeds them."""
        return tuple(node for node in self.active if not self.predecessors(node))

    @property
    def exits(self) -> tuple[int, ...]:
        """Active nodes without a successor: the default output node sums them."""
        inner = {n for node in range(2, self.nodes + 1) for n in self.predecessors(node)}
        return tuple(node for node in self.active if node not in inner)

    @property
    def is_empty(self) -> bool:
        """Whether no edge exists: the stage is then one convolution."""
        return "1" not in self.bits

    def canonical(self) -> "Stage":
        """Return the smallest code of an isomorphic stage with as many nodes."""
        return Stage(canonical_groups(self.groups))
