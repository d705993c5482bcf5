"""The shared network computes what the network of a genome computes that has the same weights."""

from itertools import product

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space
from models.cnn import BranchedCNN
from models.evaluator import torch_threads
from models.ids import partition_id
from models.shared_network import SharedConvolution, SharedNetwork
from tests.models.strategies import networks


def space_of(genome: Genome, shape: NetworkShape) -> Space:
    return Space(
        genome.nodes_per_stage,
        genome.branch_count,
        genome.exchange is not None,
        len(shape.channels) if genome.widths is not None else 0,
    )


def own_network(shared: SharedNetwork, genome: Genome) -> BranchedCNN:
    """Return the network of a genome alone, with the weights that the shared one has for it."""
    own = BranchedCNN(genome, shared.shape)

    def give(to: str, of: str, sources: list[tuple[str, int]]) -> None:
        weights = [shared.get_parameter(f"{of}.weights.{name}")[:, :c] for name, c in sources]
        for name, value in (
            ("0.weight", torch.cat(weights, 1)),
            ("1.weight", shared.get_parameter(f"{of}.scale")),
            ("1.bias", shared.get_parameter(f"{of}.shift")),
        ):
            parameter = own.get_parameter(f"{to}.{name}")
            parameter.data.copy_(value[: len(parameter)])

    for branch, stage in product(range(genome.branch_count), range(genome.stage_count)):
        code = genome.branches[branch][stage]
        to, of = f"stages.{partition_id(branch, stage)}", f"stages.{branch}.{stage}"
        channels = shared.shape.channels[genome.width(branch)][stage]
        sources = [
            (str(a), shared.shape.channels[genome.width(a)][stage - 1])
            for a in genome.sources(branch, stage)
        ]
        give(f"{to}.input", f"{of}.input", sources or [("picture", shared.shape.input[0])])
        for node in code.active:
            give(f"{to}.nodes.{node}", f"{of}.nodes.{node - 1}", [("sum", channels)])
        if not code.is_empty:
            give(f"{to}.output", f"{of}.output", [("sum", channels)])
    for branch in range(genome.branch_count):
        head = own.get_parameter(f"heads.{branch}.linear.weight")
        head.data.copy_(shared.get_parameter(f"heads.{branch}")[:, : head.shape[1]])
    own.fusion.bias.data.copy_(shared.bias)
    return own


@given(network=networks(), seed=st.integers(0, 9))
@settings(max_examples=30)
def test_a_genome_runs_as_its_own_network_would(
    network: tuple[Genome, NetworkShape], seed: int
) -> None:
    genome, shape = network
    torch.manual_seed(seed)
    shared = SharedNetwork(space_of(genome, shape), shape)
    for parameter in shared.parameters():
        torch.nn.init.normal_(parameter)
    own = own_network(shared, genome)
    x = torch.randn(4, *shape.input)
    with torch_threads(1), torch.no_grad():
        found, expected = shared.partial_logits(genome, x), own.train().partial_logits(x)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_statistics_are_those_of_the_pictures_that_are_counted() -> None:
    torch.manual_seed(0)
    convolution = SharedConvolution({"picture": 1}, 3, 3)
    counted, others = torch.randn(50, 1, 6, 6), torch.randn(20, 1, 6, 6) * 4 + 1
    with torch.no_grad():
        alone = convolution({"picture": counted}, 3, 50)
        together = convolution({"picture": torch.cat([counted, others])}, 3, 50)
    assert len(together) == 70
    torch.testing.assert_close(together[:50], alone, rtol=0.01, atol=0.01)
