"""What a genome costs on devices, from the encoding alone: MACs, parameters, bytes.

The network is the one that `models` builds. A stage is a kxk convolution of the concatenated
outputs of its sources (the picture for stage 0), one kxk convolution of the sum of its
predecessors per active node, and one of the sum of the exits; a stage without an edge is the first
convolution alone. Convolutions keep the size, have no bias, and are followed by batch norm and
ReLU; a 2x2 max-pool (floor) ends a stage. After the last stage come global average pooling and a
linear map to the classes without a bias; fusion adds the branches' logits and one bias.
Counted are multiply-accumulates (MACs, half of the FLOPs) of convolutions and linear maps only.
"""

from dataclasses import dataclass

from evolution.genome import Genome

FLOAT_BYTES = 4  # everything is float32
Costs = dict[tuple[int, int], int]  # by (branch, stage), both from 0


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """What the genome leaves open: classes, picture (C, H, W), channels[width index][stage]."""

    classes: int
    input: tuple[int, int, int]
    channels: tuple[tuple[int, ...], ...]
    kernel: int = 3

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise ValueError("classes: a classifier needs at least two.")
        if len(self.input) != 3 or min(self.input) < 1:
            raise ValueError("input: is (channels, height, width), all positive.")
        if not self.channels or not self.channels[0]:
            raise ValueError("channels: needs at least one width index and one stage.")
        if len({len(width) for width in self.channels}) > 1:
            raise ValueError("channels: every width index needs as many stages.")
        if min(min(width) for width in self.channels) < 1:
            raise ValueError("channels: a stage needs at least one channel.")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError("kernel: is odd and positive, so that padding keeps the size.")
        if min(self.input[1:]) >> len(self.channels[0]) < 1:
            _, height, width = self.input
            often = "once" if len(self.channels[0]) == 1 else f"{len(self.channels[0])} times"
            raise ValueError(f"input: {width}x{height} pixels cannot be halved {often}")

    def size(self, stage: int) -> tuple[int, int]:
        """Return height and width of the pictures that the convolutions of a stage work on."""
        return self.input[1] >> stage, self.input[2] >> stage

    def check(self, genome: Genome) -> None:
        """Raise ValueError unless `channels` covers the stages and widths of the genome."""
        if genome.stage_count != len(self.channels[0]):
            raise ValueError(
                f"channels: are for {len(self.channels[0])} stages, the genome has {genome.stage_count}."
            )
        widest = max(genome.width(branch) for branch in range(genome.branch_count))
        if widest >= len(self.channels):
            raise ValueError(f"channels: has no width index {widest}, which the genome uses.")


def _convolutions(genome: Genome, shape: NetworkShape, branch: int, stage: int) -> tuple[int, int]:
    """Return weights and output channels (over all convolutions) of a stage."""
    out = shape.channels[genome.width(branch)][stage]
    taken = [shape.channels[genome.width(s)][stage - 1] for s in genome.sources(branch, stage)]
    code = genome.branches[branch][stage]
    inner = 0 if code.is_empty else len(code.active) + 1  # nodes and the output node
    weights = shape.kernel**2 * out * ((sum(taken) or shape.input[0]) + inner * out)
    return weights, out * (1 + inner)


def _classifier(genome: Genome, shape: NetworkShape, branch: int) -> int:
    """Return the weights of a branch's linear map: channels of its last stage times classes."""
    return shape.channels[genome.width(branch)][-1] * shape.classes


def partition_macs(genome: Genome, shape: NetworkShape) -> Costs:
    """Return the MACs of every (branch, stage); a branch's last stage has its linear map."""
    shape.check(genome)
    costs: Costs = {}
    for branch in range(genome.branch_count):
        for stage in range(genome.stage_count):
            height, width = shape.size(stage)
            weights, _ = _convolutions(genome, shape, branch, stage)
            costs[branch, stage] = height * width * weights
        costs[branch, genome.stage_count - 1] += _classifier(genome, shape, branch)
    return costs


def branch_macs(genome: Genome, shape: NetworkShape) -> tuple[int, ...]:
    """Return the MACs of every branch."""
    costs = partition_macs(genome, shape)
    return tuple(
        sum(macs for (owner, _), macs in costs.items() if owner == branch)
        for branch in range(genome.branch_count)
    )


def total_macs(genome: Genome, shape: NetworkShape) -> int:
    """Return the MACs of the whole network."""
    return sum(branch_macs(genome, shape))


def partition_parameters(genome: Genome, shape: NetworkShape) -> Costs:
    """Count what every (branch, stage) learns: weights and two numbers per batch-norm channel."""
    shape.check(genome)
    costs: Costs = {}
    for branch in range(genome.branch_count):
        for stage in range(genome.stage_count):
            weights, outputs = _convolutions(genome, shape, branch, stage)
            costs[branch, stage] = weights + 2 * outputs
        costs[branch, genome.stage_count - 1] += _classifier(genome, shape, branch)
    return costs


def parameters(genome: Genome, shape: NetworkShape) -> int:
    """Count what training learns: that of all partitions, and the fusion's bias."""
    return sum(partition_parameters(genome, shape).values()) + shape.classes


def stage_output_bytes(genome: Genome, shape: NetworkShape) -> Costs:
    """Return the bytes that every (branch, stage) hands on; a last stage hands on its logits."""
    shape.check(genome)
    costs: Costs = {}
    for branch in range(genome.branch_count):
        for stage in range(genome.stage_count - 1):
            height, width = shape.size(stage + 1)  # after the pooling
            channels = shape.channels[genome.width(branch)][stage]
            costs[branch, stage] = FLOAT_BYTES * channels * height * width
        costs[branch, genome.stage_count - 1] = FLOAT_BYTES * shape.classes
    return costs


def exchanged_bytes(genome: Genome, shape: NetworkShape) -> int:
    """Return the bytes per picture that branches take from one another, once for each taker."""
    handed = stage_output_bytes(genome, shape)
    return sum(
        handed[source, stage - 1]
        for branch in range(genome.branch_count)
        for stage in range(1, genome.stage_count)
        for source in genome.sources(branch, stage)
        if source != branch
    )
