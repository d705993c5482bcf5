"""The branched Genetic-CNN: one genome and one shape make one torch module.

Source: Xie & Yuille, Genetic CNN, ICCV 2017 (arXiv 1703.01513), section 3.1, with one branch; the
branches, their partial logits and the fusion are ours. In the comments N is the number of pictures,
C, H, W the size of a stage's tensors, B the number of branches.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from evolution.cost import NetworkShape
from evolution.genome import Genome, Stage
from models.ids import partition_id


class Convolution(nn.Sequential):
    """A node: kxk convolution with 'same' padding, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels, kernel, padding="same", bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )


class StageNetwork(nn.Module):
    """The graph of one stage, then the pooling that ends it.

    The default input node takes the channels of all sources together. An empty stage is this one
    convolution. Otherwise the input node feeds every entry, each node takes the sum of its
    predecessors, and the default output node takes the sum of the exits.
    """

    def __init__(self, stage: Stage, channels_in: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.stage = stage
        self.input = Convolution(channels_in, channels, kernel)
        self.nodes = nn.ModuleDict(
            {str(node): Convolution(channels, channels, kernel) for node in stage.active}
        )
        self.output = None if stage.is_empty else Convolution(channels, channels, kernel)
        self.pool = nn.MaxPool2d(2)

    def forward(self, *sources: Tensor) -> Tensor:
        """Run one stage: sources (N, C_a, H, W) -> (N, C, H // 2, W // 2)."""
        x = self.input(
            torch.cat(sources, dim=1) if len(sources) > 1 else sources[0]
        )  # (N, C, H, W)
        if self.output is not None:
            outputs: dict[int, Tensor] = {}
            for node in self.stage.active:
                before = [outputs[earlier] for earlier in self.stage.predecessors(node)] or [x]
                outputs[node] = self.nodes[str(node)](_sum(before))  # (N, C, H, W)
            x = self.output(_sum([outputs[node] for node in self.stage.exits]))  # (N, C, H, W)
        pooled: Tensor = self.pool(x)  # (N, C, H // 2, W // 2)
        return pooled


class Head(nn.Module):
    """The end of a branch: global average pooling and a linear map without bias."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Output of the last stage (N, C, H, W) -> partial logits (N, classes)."""
        logits: Tensor = self.linear(x.mean(dim=(2, 3)))  # (N, C) -> (N, classes)
        return logits


class Fusion(nn.Module):
    """The sum of the partial logits and a bias: a missing branch is a missing term.

    It equals one linear classifier over the features of all branches. Zeros stand for a missing
    branch, and nothing is rescaled: the class stays the same, the answer is less confident.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, *partial_logits: Tensor) -> Tensor:
        """Partial logits (N, classes) of every branch -> logits (N, classes)."""
        return _sum(partial_logits) + self.bias


class BranchedCNN(nn.Module):
    """B branches of S stages side by side, and their fusion.

    Takes normalised pictures: (pixels / 255 - mean) / std by channel, where `mean` and `std` are
    buffers that training sets from its pictures (`normalise`). Raises ValueError when the shape does
    not cover the genome.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, genome: Genome, shape: NetworkShape) -> None:
        super().__init__()
        shape.check(genome)
        self.genome, self.shape = genome, shape
        self.register_buffer("mean", torch.zeros(shape.input[0]))
        self.register_buffer("std", torch.ones(shape.input[0]))
        self.stages = nn.ModuleDict(
            {
                partition_id(branch, stage): StageNetwork(
                    genome.branches[branch][stage],
                    self._channels_in(branch, stage),
                    shape.channels[genome.width(branch)][stage],
                    shape.kernel,
                )
                for branch in range(genome.branch_count)
                for stage in range(genome.stage_count)
            }
        )
        self.heads = nn.ModuleList(
            Head(shape.channels[genome.width(branch)][-1], shape.classes)
            for branch in range(genome.branch_count)
        )
        self.fusion = Fusion(shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pictures (N, C, H, W) -> logits (N, classes)."""
        logits: Tensor = self.fusion(*self.partial_logits(x).unbind(0))
        return logits

    def partial_logits(self, x: Tensor) -> Tensor:
        """Normalised pictures (N, C, H, W) -> partial logits (B, N, classes), one term a branch."""
        outputs = self.stage_outputs(x)[-1]
        return torch.stack([head(output) for head, output in zip(self.heads, outputs, strict=True)])

    def stage_outputs(self, x: Tensor) -> list[list[Tensor]]:
        """Normalised pictures (N, C, H, W) -> outputs by stage and branch, each (N, C, H, W)."""
        by_stage: list[list[Tensor]] = []
        for stage in range(self.genome.stage_count):
            outputs = []
            for branch in range(self.genome.branch_count):
                sources = [by_stage[-1][a] for a in self.genome.sources(branch, stage)] or [x]
                outputs.append(self.partition(branch, stage)(*sources))
            by_stage.append(outputs)
        return by_stage

    def partition(self, branch: int, stage: int) -> StageNetwork:
        """Return the network of one stage of one branch; without the head, which the last one has."""
        return cast(StageNetwork, self.stages[partition_id(branch, stage)])

    def normalise(self, pixels: Tensor) -> Tensor:
        """Bytes (N, C, H, W) -> what the network takes, float32 (N, C, H, W)."""
        mean, std = self.mean[:, None, None], self.std[:, None, None]  # (C, 1, 1)
        return (pixels.float() / 255 - mean) / std

    def _channels_in(self, branch: int, stage: int) -> int:
        if stage == 0:
            return self.shape.input[0]
        sources = self.genome.sources(branch, stage)
        return sum(self.shape.channels[self.genome.width(a)][stage - 1] for a in sources)


def _sum(terms: Sequence[Tensor]) -> Tensor:
    """Add up element by element, in order, so that every runtime rounds alike."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
