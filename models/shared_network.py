"""One network that holds all genomes of a space: its weights are shared by node position.

There is one set of weights for every branch position, stage and node, for the default input and
output node of every branch and stage, one linear map per branch and one bias. A genome uses those of
its own nodes. A width index takes the first channels of the widest, so that every batch trains them.
In the comments N is the number of pictures, C, H, W the size of a stage's tensors, B the branches.
"""

import math
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space, Stage

PICTURE, SUM = "picture", "sum"  # what a convolution takes when it is not the output of a branch


class SharedConvolution(nn.Module):
    """A node at the widest: kxk convolution, batch normalisation, ReLU; weights by source.

    The sum of the convolutions of all sources is the convolution of their concatenation; so a
    source that a genome does not have just stays out. Batch-norm statistics are never kept: they
    are those of the first pictures of what it is given.
    """

    def __init__(self, sources: Mapping[str, int], channels: int, kernel: int) -> None:
        super().__init__()
        self.weights = nn.ParameterDict(
            {
                name: nn.Parameter(torch.empty(channels, taken, kernel, kernel))
                for name, taken in sources.items()
            }
        )
        for weight in self.weights.values():
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))  # as torch's own convolutions begin
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, sources: Mapping[str, Tensor], channels: int, counted: int) -> Tensor:
        """Run on sources (N, C_a, H, W) -> (N, channels, H, W), by the statistics of the first `counted`."""
        x = (
            torch.cat(list(sources.values()), 1)
            if len(sources) > 1
            else next(iter(sources.values()))
        )
        weight = torch.cat(
            [self.weights[name][:channels, : source.shape[1]] for name, source in sources.items()],
            1,
        )
        y = functional.conv2d(x, weight, padding="same")  # (N, C, H, W)
        scale, shift = self.scale[:channels], self.shift[:channels]
        if counted == len(y):
            y = functional.batch_norm(y, None, None, scale, shift, training=True)
        else:
            mean, variance = torch.zeros(channels), torch.ones(channels)
            functional.batch_norm(y[:counted], mean, variance, training=True, momentum=1)
            y = functional.batch_norm(y, mean, variance, scale, shift, training=False)
        return functional.relu(y, inplace=True)


class SharedStage(nn.Module):
    """All graphs of one stage of one branch, then the pooling that ends it."""

    def __init__(self, nodes: int, sources: Mapping[str, int], channels: int, kernel: int) -> None:
        super().__init__()
        inner = {SUM: channels}
        self.input = SharedConvolution(sources, channels, kernel)
        self.nodes = nn.ModuleList(SharedConvolution(inner, channels, kernel) for _ in range(nodes))
        self.output = SharedConvolution(inner, channels, kernel)

    def forward(
        self, stage: Stage, sources: Mapping[str, Tensor], channels: int, counted: int
    ) -> Tensor:
        """Run one graph: sources (N, C_a, H, W) -> (N, C, H // 2, W // 2)."""
        x = self.input(sources, channels, counted)  # (N, C, H, W)
        if not stage.is_empty:
            outputs: dict[int, Tensor] = {}
            for node in stage.active:
                before = [outputs[earlier] for earlier in stage.predecessors(node)] or [x]
                outputs[node] = self.nodes[node - 1]({SUM: summed(before)}, channels, counted)
            last = summed([outputs[node] for node in stage.exits])
            x = self.output({SUM: last}, channels, counted)
        return functional.max_pool2d(x, 2)


class SharedNetwork(nn.Module):
    """All genomes of a space; takes normalised pictures, as `models.cnn.BranchedCNN` does."""

    mean: Tensor
    std: Tensor

    def __init__(self, space: Space, shape: NetworkShape) -> None:
        super().__init__()
        self.space, self.shape = space, shape
        self.register_buffer("mean", torch.zeros(shape.input[0]))
        self.register_buffer("std", torch.ones(shape.input[0]))
        widest = [max(channels) for channels in zip(*shape.channels, strict=True)]
        self.stages = nn.ModuleList(
            nn.ModuleList(
                SharedStage(
                    space.nodes[stage], self._sources(branch, stage, widest), width, shape.kernel
                )
                for stage, width in enumerate(widest)
            )
            for branch in range(space.branches)
        )
        self.heads = nn.ParameterList(
            nn.Parameter(torch.empty(shape.classes, widest[-1])) for _ in range(space.branches)
        )
        for head in self.heads:
            nn.init.kaiming_uniform_(head, a=math.sqrt(5))
        self.bias = nn.Parameter(torch.zeros(shape.classes))

    def partial_logits(self, genome: Genome, x: Tensor) -> Tensor:
        """Run one genome on normalised pictures (N, C, H, W) -> partial logits (B, N, classes)."""
        outputs: list[Tensor] = []
        for stage in range(genome.stage_count):
            before = outputs
            outputs = [
                self.output(
                    branch,
                    genome.branches[branch][stage],
                    {str(a): before[a] for a in genome.sources(branch, stage)} or {PICTURE: x},
                    self.shape.channels[genome.width(branch)][stage],
                    len(x),
                    number=stage,
                )
                for branch in range(genome.branch_count)
            ]
        return torch.stack([self.head(branch, output) for branch, output in enumerate(outputs)])

    def output(
        self,
        branch: int,
        stage: Stage,
        sources: Mapping[str, Tensor],
        channels: int,
        counted: int,
        *,
        number: int,
    ) -> Tensor:
        """Run stage `number` of a branch; batch-norm statistics are those of the first `counted`."""
        stages = cast("nn.ModuleList", self.stages[branch])
        result: Tensor = stages[number](stage, sources, channels, counted)
        return result

    def head(self, branch: int, x: Tensor) -> Tensor:
        """Output of a branch's last stage (N, C, H, W) -> partial logits (N, classes)."""
        return functional.linear(x.mean((2, 3)), self.heads[branch][:, : x.shape[1]])

    def normalise(self, pixels: Tensor) -> Tensor:
        """Bytes (N, C, H, W) -> what the network takes, float32 (N, C, H, W)."""
        mean, std = self.mean[:, None, None], self.std[:, None, None]  # (C, 1, 1)
        return (pixels.float() / 255 - mean) / std

    def _sources(self, branch: int, stage: int, widest: Sequence[int]) -> dict[str, int]:
        """Channels of everything that a stage may take, by the name of its source."""
        if stage == 0:
            return {PICTURE: self.shape.input[0]}
        taken = range(self.space.branches) if self.space.exchange else [branch]
        return {str(a): widest[stage - 1] for a in taken}


def summed(terms: Sequence[Tensor]) -> Tensor:
    """Add up element by element, in order."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
