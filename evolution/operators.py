"""Selection, crossover and mutation of Genetic-CNN: tiny, pure, each takes the generator.

Source: Xie & Yuille, Genetic CNN, ICCV 2017 (arXiv 1703.01513), sections 3.2.2 to 3.2.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from evolution.genome import Genome, Space, Stage

T = TypeVar("T")


def roulette(
    fitness: Sequence[float], draws: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Draw indices independently with P proportional to r - r_min, so the worst never survives.

    All equal: uniform (the paper is silent). Raises ValueError when a fitness is not finite.
    """
    r = np.asarray(fitness, dtype=np.float64)  # (individuals,)
    if r.size == 0 or not np.isfinite(r).all():
        raise ValueError("fitness: selection needs at least one value, and finite ones only.")
    shifted = r - r.min()
    total = shifted.sum()
    if not 0 < total < np.inf:
        return rng.integers(0, r.size, size=draws, dtype=np.intp)
    upper = np.cumsum(shifted / total)
    drawn: npt.NDArray[np.intp] = np.searchsorted(
        upper, rng.random(draws) * upper[-1], side="right"
    )
    last = np.flatnonzero(shifted)[-1]  # rounding must not reach the worst behind it
    return np.where(drawn < last, drawn, last)


def tournament(
    fitness: Sequence[float], draws: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Draw pairs and take the better of each: the one that a survival which sorts put first.

    Returns indices (draws,). The numbers in `fitness` are not looked at, only how many there are.
    """
    pairs = rng.integers(len(fitness), size=(draws, 2), dtype=np.intp)
    return np.minimum(pairs[:, 0], pairs[:, 1])


def swap(
    first: Sequence[T], second: Sequence[T], rate: float, rng: np.random.Generator
) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Exchange the elements of each position with probability `rate`."""
    swapped = rng.random(len(first)) < rate
    pairs = [(b, a) if s else (a, b) for a, b, s in zip(first, second, swapped, strict=True)]
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def flip(bits: str, rate: float, rng: np.random.Generator) -> str:
    """Flip each bit with probability `rate`."""
    flipped = rng.random(len(bits)) < rate
    return "".join(str(int(bit) ^ int(f)) for bit, f in zip(bits, flipped, strict=True))


@dataclass(frozen=True, slots=True)
class GenomeOperators:
    """The operators of one space, in the form that the engine takes.

    Absent genes of a space that has them count as all zero.
    """

    space: Space

    def random(self, rng: np.random.Generator) -> Genome:
        """Draw a genome of the space."""
        return self.space.random(rng)

    def cross(
        self, first: Genome, second: Genome, rate: float, rng: np.random.Generator
    ) -> tuple[Genome, Genome]:
        """Exchange each stage of each branch, each width and each boundary with P = q_c."""
        stages = self.space.branches * len(self.space.nodes)
        parts = swap(self._parts(first), self._parts(second), rate, rng)
        one, two = (self._genome(part[:stages], part[stages:]) for part in parts)
        return one, two

    def mutate(self, genome: Genome, rate: float, rng: np.random.Generator) -> Genome:
        """Flip each stage and exchange bit, and draw each width again, with P = q_m."""
        stages = self.space.branches * len(self.space.nodes)
        parts = self._parts(genome)
        widths = parts[stages:][: self.space.branches if self.space.widths else 0]
        genes = [
            str(rng.integers(self.space.widths)) if rng.random() < rate else gene for gene in widths
        ]
        genes += [flip(bits, rate, rng) for bits in parts[stages + len(genes) :]]
        return self._genome([flip(bits, rate, rng) for bits in parts[:stages]], genes)

    def to_json(self, genome: Genome) -> str:
        """Write a genome as its text form."""
        return str(genome)

    def from_json(self, value: object) -> Genome:
        """Read a genome back from its text form."""
        return Genome.parse(str(value))

    def _parts(self, genome: Genome) -> list[str]:
        """List what crossover exchanges: bits per branch and stage, widths, exchange bits."""
        if not self.space.contains(genome):
            raise ValueError(f"genome: {genome} is not in the space.")
        parts = [stage.bits for branch in genome.branches for stage in branch]
        if self.space.widths:
            parts += [str(genome.width(branch)) for branch in range(genome.branch_count)]
        if self.space.exchange:
            silent = "0" * (genome.branch_count * (genome.branch_count - 1))
            parts += genome.exchange or (silent,) * (genome.stage_count - 1)
        return parts

    def _genome(self, stages: Sequence[str], genes: Sequence[str]) -> Genome:
        """Build a genome from its parts."""
        size = len(self.space.nodes)
        decoded = [Stage.from_bits(bits) for bits in stages]
        widths = self.space.branches if self.space.widths else 0
        return Genome(
            branches=tuple(
                tuple(decoded[start : start + size]) for start in range(0, len(decoded), size)
            ),
            widths=tuple(int(gene) for gene in genes[:widths]) if widths else None,
            exchange=tuple(genes[widths:]) if self.space.exchange else None,
        )
