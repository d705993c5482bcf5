import pytest
from hypothesis import given

from evolution.cost import (
    NetworkShape,
    branch_macs,
    exchanged_bytes,
    parameters,
    partition_macs,
    stage_output_bytes,
    total_macs,
)
from evolution.genome import Genome
from tests.evolution.strategies import networks

LENET = NetworkShape(classes=10, input=(1, 28, 28), channels=((20, 50), (10, 25)))


def counted(genome: Genome, shape: NetworkShape) -> tuple[dict[tuple[int, int], int], int]:
    """Walk the network convolution by convolution: MACs by (branch, stage), and parameters."""
    macs: dict[tuple[int, int], int] = {}
    learnt = shape.classes
    for b, branch in enumerate(genome.branches):
        channels = shape.channels[genome.width(b)]
        height, width = shape.input[1:]
        for s, stage in enumerate(branch):
            into = sum(shape.channels[genome.width(a)][s - 1] for a in genome.sources(b, s))
            convolutions = [(into if s else shape.input[0], channels[s])]
            convolutions += [(channels[s], channels[s]) for _ in stage.active]
            if stage.active:
                convolutions.append((channels[s], channels[s]))
            macs[b, s] = 0
            for taken, made in convolutions:
                macs[b, s] += height * width * shape.kernel**2 * taken * made
                learnt += shape.kernel**2 * taken * made + 2 * made
            height, width = height // 2, width // 2
        macs[b, genome.stage_count - 1] += channels[-1] * shape.classes
        learnt += channels[-1] * shape.classes
    return macs, learnt


@given(networks())
def test_costs_are_those_of_a_walk_through_the_network(
    network: tuple[Genome, NetworkShape],
) -> None:
    genome, shape = network
    macs, learnt = counted(genome, shape)
    assert partition_macs(genome, shape) == macs
    assert total_macs(genome, shape) == sum(branch_macs(genome, shape)) == sum(macs.values())
    assert parameters(genome, shape) == learnt


def test_an_empty_stage_is_one_convolution() -> None:
    macs = partition_macs(Genome.parse("0-00|0"), LENET)
    assert macs == {(0, 0): 28 * 28 * 9 * 20, (0, 1): 14 * 14 * 9 * 20 * 50 + 50 * 10}


def test_an_edge_is_four_convolutions() -> None:
    macs = partition_macs(Genome.parse("1-00|0"), LENET)
    assert macs[0, 0] == 28 * 28 * 9 * (20 + 3 * 20 * 20)


def test_an_exchanged_output_widens_the_next_stage() -> None:
    genome = Genome.parse("0|0 / 0|0 ; widths 0,1 ; exchange 10")  # branch 1 also takes branch 0's
    macs = partition_macs(genome, LENET)
    assert macs[0, 1] == 14 * 14 * 9 * 20 * 50 + 500
    assert macs[1, 1] == 14 * 14 * 9 * (10 + 20) * 25 + 250
    assert exchanged_bytes(genome, LENET) == 4 * 20 * 14 * 14


def test_a_stage_hands_on_its_pooled_output_and_a_branch_its_logits() -> None:
    genome = Genome.parse("0|0 / 0|0 ; widths 0,1")
    assert stage_output_bytes(genome, LENET) == {
        (0, 0): 4 * 20 * 14 * 14,
        (0, 1): 4 * 10,
        (1, 0): 4 * 10 * 14 * 14,
        (1, 1): 4 * 10,
    }
    assert exchanged_bytes(genome, LENET) == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"classes": 1}, "classes"),
        ({"input": (1, 0, 28)}, "input"),
        ({"input": (1, 28, 3)}, "input"),
        ({"channels": ()}, "channels"),
        ({"channels": ((8, 0),)}, "channels"),
        ({"channels": ((8, 8), (8,))}, "channels"),
        ({"kernel": 2}, "kernel"),
    ],
)
def test_an_impossible_shape_names_the_field(arguments: dict[str, object], field: str) -> None:
    valid = {"classes": 10, "input": (1, 28, 28), "channels": ((8, 8),)}
    with pytest.raises(ValueError, match=rf"\A{field}: "):
        NetworkShape(**(valid | arguments))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0", "0|0 ; widths 2"])
def test_a_shape_must_cover_the_genome(text: str) -> None:
    with pytest.raises(ValueError, match=r"\Achannels: "):
        partition_macs(Genome.parse(text), LENET)
